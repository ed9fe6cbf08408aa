"""The engine ``ray``: models in processes of a Ray cluster, each a replica of all that is open."""
