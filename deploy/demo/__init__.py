"""A demonstration: realistic ratings, and figures checked against them."""
