"""The chat of the Channels tutorial, with its messages kept: what many begin with.

A tiny Django project and its one app. Left out, in its favour: sessions, sign-in, the check of
origins. Speaks WebSocket at `/ws/chat/<room>/`:

    {"message": "text"}  →  {"message": "text"} to all in the room
    {"after": 41}        →  {"message": "text", "id": 42} …: what the log has later, at most 200
"""
