"""Paths between two things, and what they say."""
