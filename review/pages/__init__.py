"""The pages: each file one subject."""
