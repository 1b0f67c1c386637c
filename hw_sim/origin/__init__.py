"""The float network of a run: trained here, a NIR graph, or what a file of the user's builds."""
