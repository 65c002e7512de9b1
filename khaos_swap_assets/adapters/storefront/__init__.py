"""The storefront (Shopify Admin GraphQL): the witness of the money. Plain Python over httpx, no Dagster."""
