"""Who people are: whether their sign-in holds, and who has a seat in a room."""

# Whether each socket's sign-in holds: its person is active, and its session (with the password of
# then) or its device (which knows that of its sign-in) is there; and their name if it is another.
# Uses indexes: django_session_pkey, accounts_device_pkey, accounts_user_pkey.
SIGN_INS = """
SELECT u.id IS NOT NULL AND (
    s.session_key IS NOT NULL AND u.sign_outs || ':' || u.password = p.password
    OR d.id IS NOT NULL AND d.password_mark = encode(sha256(convert_to(u.password, 'UTF8')), 'hex')
), CASE WHEN u.display_name <> p.name THEN u.display_name END
FROM unnest(%(users)s::bigint[], %(names)s::text[], %(sessions)s::text[], %(passwords)s::text[],
            %(devices)s::uuid[]) WITH ORDINALITY AS p (user_id, name, session, password, device, n)
LEFT JOIN django_session s ON s.session_key = p.session AND s.expire_date > now()
LEFT JOIN accounts_device d
       ON d.id = p.device AND d.user_id = p.user_id AND d.expires_at > now()
LEFT JOIN accounts_user u ON u.id = p.user_id AND u.is_active
ORDER BY p.n
"""

# All with a seat, as they came. Uses indexes: accounts_user_pkey, membership_once.
MEMBERS = """
SELECT u.id, u.display_name FROM rooms_membership m JOIN accounts_user u ON u.id = m.user_id
WHERE m.room_id = %(room)s ORDER BY m.id
"""
