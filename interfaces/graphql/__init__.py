"""The way in at /graphql/: what a document may ask, how it runs, how it is answered.

What can be asked for is in the apps' schema.py, together in interfaces/graphql/schema.py.
"""
