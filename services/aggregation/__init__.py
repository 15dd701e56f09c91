"""Aggregation: folds the outcomes of ratings into figures, and answers with them."""
