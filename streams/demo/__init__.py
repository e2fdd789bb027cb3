"""The demonstration: a simulated shop, two customers with the same past, and what their lists do."""
