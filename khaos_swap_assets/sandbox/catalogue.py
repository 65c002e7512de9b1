"""What the invented apparel merchant sells, and the people who buy it.

Belongs here: styles, colours, sizes, prices, names and towns. Stays out: orders and returns (``maker``).
Prices are integer pence including VAT; children's wear is zero-rated.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random

from khaos_swap_assets.sandbox.world import Customer, StockItem

ADULT_SIZES = ("XS", "S", "M", "L", "XL")
CHILD_SIZES = ("2Y", "4Y", "6Y", "8Y")
COLOURS = (("NVY", "Navy"), ("MOS", "Moss"), ("ECR", "Ecru"), ("RST", "Rust"), ("BLK", "Black"))
STYLES = (
    ("MER-CRW", "Merino Crew", 8500, 20),
    ("LIN-TEE", "Linen Tee", 4200, 20),
    ("CHN-TPR", "Tapered Chino", 6800, 20),
    ("FEL-JKT", "Fell Waterproof Jacket", 14999, 20),
    ("OXF-SHT", "Oxford Shirt", 5550, 20),
    ("CRD-TRS", "Cord Trouser", 7249, 20),
    ("FLC-HDY", "Fleece Hoody", 6499, 20),
    ("DNM-JKT", "Denim Jacket", 9800, 20),
    ("PUF-GLT", "Puffer Gilet", 8999, 20),
    ("RIB-BNE", "Ribbed Beanie", 2150, 20),
    ("WOL-SCF", "Wool Scarf", 3375, 20),
    ("SLK-DRS", "Silk Dress", 12500, 20),
    ("CTN-SKT", "Cotton Skirt", 4999, 20),
    ("CBL-CRD", "Cable Cardigan", 7999, 20),
    ("JSY-DRS", "Jersey Dress", 5999, 20),
    ("KID-TEE", "Kids Stripe Tee", 1450, 0),
    ("KID-DNG", "Kids Dungaree", 3299, 0),
    ("KID-CRD", "Kids Cardigan", 2799, 0),
)
FORENAMES = (
    "Priya",
    "Jonas",
    "Aoife",
    "Marcus",
    "Elin",
    "Tomasz",
    "Grace",
    "Idris",
    "Hannah",
    "Kofi",
    "Rosa",
    "Callum",
)
SURNAMES = ("Nolan", "Weber", "Byrne", "Okafor", "Lindqvist", "Kowalski", "Hughes", "Rahman", "Fletcher", "Mensah")
TOWNS = (
    ("Leeds", "LS1 4AB"),
    ("Bristol", "BS1 5TY"),
    ("Kendal", "LA9 4QQ"),
    ("Cardiff", "CF10 2AF"),
    ("Perth", "PH1 5LB"),
)
EURO_TOWNS = (("Kiel", "24103", "DE"), ("Cork", "T12 X7K", "IE"), ("Lyon", "69002", "FR"))


def stock_items(rng: Random, now: datetime) -> list[StockItem]:
    """Every size and colour of every style, with a level at the saleable site."""
    revised_at = now - timedelta(days=90)
    rows = [(style, colour, size) for style in STYLES for colour in COLOURS for size in _sizes(style[3])]
    return [
        StockItem(
            stock_code=f"{style[0]}-{colour[0]}-{size}",
            stock_id=str(7000 + number),
            description=f"{style[1]} {colour[1]} / {size}",
            unit_gross_pence=style[2],
            vat_percent=style[3],
            other_ref=f"OR{7000 + number}",
            barcode=f"50600{number:08d}",
            available=rng.randint(20, 200),
            revised_at=revised_at,
            moved_at=revised_at,
        )
        for number, (style, colour, size) in enumerate(rows)
    ]


def _sizes(vat_percent: int) -> tuple[str, ...]:
    return ADULT_SIZES if vat_percent else CHILD_SIZES


def customer(rng: Random, number: int, currency: str) -> Customer:
    """One shopper; euro shoppers live abroad."""
    surname = rng.choice(SURNAMES)
    forename = rng.choice(FORENAMES)
    town, postcode, country = rng.choice(EURO_TOWNS) if currency == "EUR" else (*rng.choice(TOWNS), "GB")
    return Customer(
        urn=f"{surname[:4].upper()}{number:06d}",
        forename=forename,
        surname=surname,
        email=f"{forename}.{surname}.{number}@example.com".lower(),
        address1=f"{rng.randint(1, 99)} Mill Row",
        town=town,
        postcode=postcode,
        country=country,
        currency=currency,
    )
