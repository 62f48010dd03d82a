"""Files become an immutable release, and a release is read."""
