"""HTTP in and out; knows no SPARQL text and no file layout."""
