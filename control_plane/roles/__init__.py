"""The running service, in three roles that share Postgres and Redis and nothing else:
``auth`` answers nodes, ``api`` answers apps and viewers, ``work`` does what nobody
waits for. So nothing that the public sends can delay an auth answer.
"""
