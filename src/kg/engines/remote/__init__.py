"""An engine on the network that speaks SPARQL 1.1: what it can do, how it is reached, asked and written."""
