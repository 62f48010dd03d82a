"""Asking a store."""
