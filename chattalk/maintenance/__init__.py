"""Keeping what was said: checking it, copying it into a file, and bringing it back."""
