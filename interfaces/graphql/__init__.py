"""The way in at /graphql/: what a document may ask, how it runs, how it is answered.

What can be asked for is in the modules that GRAPHQL_PARTS names, joined in schema.py.
"""
