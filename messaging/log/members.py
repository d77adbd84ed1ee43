"""The people who have a seat in a room."""

# All of them, as they came. Uses indexes: accounts_user_pkey, membership_once.
MEMBERS = """
SELECT u.id, u.display_name FROM rooms_membership m JOIN accounts_user u ON u.id = m.user_id
WHERE m.room_id = %(room)s ORDER BY m.id
"""
