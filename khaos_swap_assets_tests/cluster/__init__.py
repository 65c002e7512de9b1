"""A house of many merchants on many machines, as network namespaces of this one; ``make cluster`` starts it."""
