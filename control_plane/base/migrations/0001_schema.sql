-- The whole schema. Every id an app sees fits 31 bits: both apps read them as 32-bit
-- integers. Counters are columns, kept in the transaction of what they count.

-- People: accounts, and who follows, blocks and reports whom.

CREATE TABLE users (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    username text NOT NULL DEFAULT '',
    first_name text NOT NULL DEFAULT '',
    last_name text NOT NULL DEFAULT '',
    email text NOT NULL DEFAULT '',
    phone text NOT NULL DEFAULT '',
    bio text NOT NULL DEFAULT '',
    website text NOT NULL DEFAULT '',
    gender text NOT NULL DEFAULT '',
    dob text NOT NULL DEFAULT '',
    profile_pic text NOT NULL DEFAULT '',
    profile_gif text NOT NULL DEFAULT '',
    device_token text NOT NULL DEFAULT '',
    device text NOT NULL DEFAULT '',
    version text NOT NULL DEFAULT '',
    private boolean NOT NULL DEFAULT false,
    profile_view boolean NOT NULL DEFAULT true,
    verified boolean NOT NULL DEFAULT false,
    -- A token carries the version it was signed for; raising it revokes them all.
    token_version integer NOT NULL DEFAULT 1,
    banned_at timestamptz,
    ban_reason text NOT NULL DEFAULT '',
    deleted_at timestamptz,
    -- Of this user's events.
    seq bigint NOT NULL DEFAULT 0,
    event_xid xid8 NOT NULL DEFAULT '0',
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX users_username ON users (lower(username)) WHERE username <> '';
CREATE INDEX users_email ON users (lower(email)) WHERE email <> '';
CREATE INDEX users_phone ON users (phone) WHERE phone <> '';
CREATE INDEX users_banned ON users (id) WHERE banned_at IS NOT NULL;
-- The search looks for beginnings.
CREATE INDEX users_username_prefix ON users (lower(username) text_pattern_ops)
    WHERE deleted_at IS NULL AND banned_at IS NULL;
CREATE INDEX users_name_prefix
    ON users (lower(first_name || ' ' || last_name) text_pattern_ops)
    WHERE deleted_at IS NULL AND banned_at IS NULL;

CREATE TABLE identities (
    provider text NOT NULL,
    subject text NOT NULL,
    user_id integer NOT NULL REFERENCES users,
    verified boolean NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (provider, subject)
);
CREATE INDEX identities_user ON identities (user_id);

-- A sign-in that was ended before its tokens expire; a renewed token keeps its sign-in.
CREATE TABLE ended_sign_ins (
    sign_in text PRIMARY KEY,
    user_id integer NOT NULL REFERENCES users,
    expires_at timestamptz NOT NULL
);
CREATE INDEX ended_sign_ins_by_expiry ON ended_sign_ins (expires_at);
CREATE INDEX ended_sign_ins_of_user ON ended_sign_ins (user_id);

-- Not columns of users: that row is locked for each of a user's events.
CREATE TABLE user_counts (
    user_id integer PRIMARY KEY REFERENCES users,
    followers integer NOT NULL DEFAULT 0 CHECK (followers >= 0),
    following integer NOT NULL DEFAULT 0 CHECK (following >= 0),
    likes integer NOT NULL DEFAULT 0 CHECK (likes >= 0),
    videos integer NOT NULL DEFAULT 0 CHECK (videos >= 0)
);

CREATE TABLE follows (
    id integer GENERATED ALWAYS AS IDENTITY UNIQUE,
    follower_id integer NOT NULL REFERENCES users,
    followed_id integer NOT NULL REFERENCES users,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (follower_id, followed_id),
    CONSTRAINT not_oneself CHECK (follower_id <> followed_id)
);
CREATE INDEX follows_followers ON follows (followed_id, id DESC);
CREATE INDEX follows_following ON follows (follower_id, id DESC);

CREATE TABLE blocks (
    id integer GENERATED ALWAYS AS IDENTITY UNIQUE,
    user_id integer NOT NULL REFERENCES users,
    block_user_id integer NOT NULL REFERENCES users,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, block_user_id),
    CONSTRAINT not_oneself CHECK (user_id <> block_user_id)
);
CREATE INDEX blocks_of_me ON blocks (block_user_id);

CREATE TABLE report_reasons (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    title text NOT NULL UNIQUE,
    created_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO report_reasons (title) VALUES
    ('Spam or misleading'), ('Hate or harassment'), ('Violence or threats'),
    ('Nudity or sexual content'), ('Child safety'), ('Self-harm'),
    ('Illegal goods or activities'), ('Pretending to be somebody else'),
    ('Something else');

CREATE TABLE reports (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id integer NOT NULL REFERENCES users,
    report_user_id integer NOT NULL REFERENCES users,
    report_reason_id integer NOT NULL REFERENCES report_reasons,
    description text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    -- The same complaint again changes its words, not its number.
    UNIQUE (user_id, report_user_id, report_reason_id)
);
CREATE INDEX reports_about ON reports (report_user_id, id DESC);

CREATE TABLE devices (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key text NOT NULL UNIQUE,
    created_at timestamptz NOT NULL DEFAULT now()
);

-- Events: a log. Its order is (era, xid, id), and what is below the oldest running
-- transaction is complete: nothing is ever added there. ``xid`` is the transaction's
-- number or, where that is higher, the one of the subject's event before, so that this
-- order is also each subject's own. An era ends when the tables move to a server that
-- counts transactions anew.

CREATE TABLE event_eras (
    era smallint PRIMARY KEY,
    begun_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO event_eras VALUES (0);

CREATE TABLE events (
    id bigint GENERATED BY DEFAULT AS IDENTITY,
    era smallint NOT NULL DEFAULT 0,
    xid xid8 NOT NULL,
    subject text NOT NULL CHECK (subject IN ('session', 'user', 'node', 'ban')),
    subject_id integer NOT NULL,
    seq bigint NOT NULL,
    type text NOT NULL,
    version smallint NOT NULL,
    data jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    -- The time is here for the partitions' sake only; the lock of the subject's row
    -- gives each number once.
    PRIMARY KEY (subject, subject_id, seq, created_at)
) PARTITION BY RANGE (created_at);
CREATE INDEX events_in_order ON events (era, xid, id);
-- Small, and nearly for nothing: one event is asked for seldom.
CREATE INDEX events_by_id ON events USING brin (id) WITH (autosummarize = on);
-- For a month that nobody made a partition for: no event is lost for want of one.
CREATE TABLE events_other PARTITION OF events DEFAULT;

-- The names of the partitions made: of this month and so many that follow. One whose
-- events stand in events_other already is not made.
CREATE FUNCTION make_event_partitions(ahead integer) RETURNS SETOF text
LANGUAGE plpgsql SECURITY DEFINER
SET search_path FROM CURRENT SET timezone = 'UTC' SET lock_timeout = '200ms' AS $$
DECLARE
    month timestamptz;
    name text;
BEGIN
    PERFORM pg_advisory_xact_lock(7130151204982);
    FOR month IN SELECT date_trunc('month', now()) + make_interval(months => n)
        FROM generate_series(0, ahead) AS n
    LOOP
        name := to_char(month, '"events_"YYYY_MM');
        CONTINUE WHEN to_regclass(name) IS NOT NULL OR EXISTS (SELECT FROM events_other
            WHERE created_at >= month AND created_at < month + interval '1 month');
        EXECUTE format('CREATE TABLE %I (LIKE events INCLUDING DEFAULTS'
            ' INCLUDING CONSTRAINTS INCLUDING INDEXES)', name);
        -- Unlike CREATE … PARTITION OF, this lets others write meanwhile.
        EXECUTE format('ALTER TABLE events ATTACH PARTITION %I FOR VALUES'
            ' FROM (%L) TO (%L)', name, month, month + interval '1 month');
        RETURN NEXT name;
    END LOOP;
END $$;
SELECT make_event_partitions(2);

-- The names of the partitions dropped: those that ended so many whole months ago.
CREATE FUNCTION drop_old_events(months integer) RETURNS SETOF text
LANGUAGE plpgsql SECURITY DEFINER
SET search_path FROM CURRENT SET timezone = 'UTC' SET lock_timeout = '200ms' AS $$
DECLARE
    oldest timestamptz := date_trunc('month', now()) - make_interval(months => months);
    name text;
BEGIN
    IF months < 1 THEN
        RAISE EXCEPTION 'events are kept for a month at least'
            USING ERRCODE = 'check_violation';
    END IF;
    FOR name IN SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'events'::regclass AND c.relname ~ '^events_[0-9]{4}_[0-9]{2}$'
            AND to_date(right(c.relname, 7), 'YYYY_MM') < oldest
    LOOP
        EXECUTE format('DROP TABLE %I', name);
        RETURN NEXT name;
    END LOOP;
    DELETE FROM events_other WHERE created_at < oldest;
END $$;

-- Events go on with ids that nobody was told: receivers remember those they had, also of
-- events that a restored database knows nothing of. From microseconds since 1970: no log
-- grows as fast, and the same backup may be restored twice.
CREATE FUNCTION skip_event_ids() RETURNS void
LANGUAGE sql SET search_path FROM CURRENT AS $$
    SELECT setval(ids, greatest(nextval(ids),
        (extract(epoch FROM clock_timestamp()) * 1000000)::bigint))
    FROM (SELECT pg_get_serial_sequence('events', 'id')::regclass) AS log (ids)
$$;

-- A restored database gives the ids of those who came after its backup to others, for whom
-- neither their sign-ins nor their webhooks' secrets may count. In minutes since 2020.
CREATE FUNCTION outdate_what_is_lost() RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    minutes integer := extract(epoch FROM now() - timestamptz '2020-01-01 00:00Z') / 60;
BEGIN
    EXECUTE format('ALTER TABLE users ALTER token_version SET DEFAULT %s', minutes);
    EXECUTE format('ALTER TABLE webhook_endpoints ALTER generation SET DEFAULT %s',
        minutes);
END $$;

-- True when it began a new era: there are events of transactions that this server has
-- not had yet, so they come from another one.
CREATE FUNCTION settle_event_era() RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    newest record;
BEGIN
    SELECT era, xid >= pg_snapshot_xmax(pg_current_snapshot()) AS from_elsewhere
        INTO newest FROM events WHERE era = (SELECT max(era) FROM event_eras)
        ORDER BY xid DESC LIMIT 1;
    IF NOT coalesce(newest.from_elsewhere, false) THEN
        RETURN false;
    END IF;
    INSERT INTO event_eras VALUES (newest.era + 1);
    PERFORM skip_event_ids(), outdate_what_is_lost();
    EXECUTE format('ALTER TABLE events ALTER era SET DEFAULT %s', newest.era + 1);
    UPDATE live_streaming_sessions SET event_xid = '0' WHERE event_xid > '0';
    UPDATE users SET event_xid = '0' WHERE event_xid > '0';
    UPDATE nodes SET event_xid = '0' WHERE event_xid > '0';
    UPDATE bans SET event_xid = '0' WHERE event_xid > '0';
    RETURN true;
END $$;
REVOKE EXECUTE ON FUNCTION make_event_partitions, drop_old_events, settle_event_era,
    skip_event_ids, outdate_what_is_lost FROM PUBLIC;

-- Operators: who may ask the service itself, what they asked, and what was done.

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE TABLE operator_tokens (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL CHECK (name ~ '^[^[:cntrl:]]{1,100}$'),
    hash bytea NOT NULL UNIQUE CHECK (octet_length(hash) = 32),
    scopes text[] NOT NULL,
    expires_at timestamptz NOT NULL,
    revoked_at timestamptz,
    last_used_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX operator_tokens_by_name ON operator_tokens (name)
    WHERE revoked_at IS NULL;

-- Operators' browsers that are signed in; each for as long as its token and its use.
CREATE TABLE operator_sessions (
    hash bytea PRIMARY KEY CHECK (octet_length(hash) = 32),
    token_id integer NOT NULL REFERENCES operator_tokens,
    used_at timestamptz NOT NULL DEFAULT now()
);

-- What was answered to a request that may be sent twice; no answer: it is under way.
CREATE TABLE operator_requests (
    token_id integer NOT NULL REFERENCES operator_tokens,
    key text NOT NULL,
    fingerprint bytea NOT NULL,
    answer bytea, -- encrypted: it may hold what is shown once
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (token_id, key)
);
CREATE INDEX operator_requests_by_age ON operator_requests (created_at);

-- Nothing here is ever changed or deleted, and each entry's hash covers the one before:
-- whoever changes a row breaks the chain. Numbers and hashes come from a trigger and
-- from nothing else. Entries are written one after the other.
CREATE TABLE audit_log (
    number bigint PRIMARY KEY,
    at timestamptz NOT NULL,
    actor text NOT NULL,
    act text NOT NULL,
    subject text NOT NULL,
    reason text NOT NULL,
    before jsonb NOT NULL,
    after jsonb NOT NULL,
    request_id text NOT NULL, -- empty: nobody asked the service for it
    hash bytea NOT NULL
);
CREATE INDEX audit_by_subject ON audit_log (subject, number);
CREATE INDEX audit_by_actor ON audit_log (actor, number);

-- Where the chain ends, so that an end that is cut off is missed.
CREATE TABLE audit_head (
    number bigint NOT NULL,
    hash bytea NOT NULL
);
INSERT INTO audit_head VALUES (0, decode(repeat('00', 32), 'hex'));

CREATE FUNCTION audit_text(entry audit_log) RETURNS text LANGUAGE sql AS $$
    SELECT jsonb_build_array(entry.number,
        to_char(entry.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        entry.actor, entry.act, entry.subject, entry.reason, entry.before,
        entry.after, entry.request_id)::text
$$;

CREATE FUNCTION chain_audit() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    last audit_head;
BEGIN
    SELECT * INTO STRICT last FROM audit_head FOR UPDATE;
    NEW.number := last.number + 1;
    NEW.at := clock_timestamp();
    NEW.hash := sha256(last.hash || convert_to(audit_text(NEW), 'UTF8'));
    UPDATE audit_head SET number = NEW.number, hash = NEW.hash;
    RETURN NEW;
END $$;
CREATE TRIGGER audit_chain BEFORE INSERT ON audit_log
    FOR EACH ROW EXECUTE FUNCTION chain_audit();
CREATE TRIGGER audit_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Webhooks: where events are sent, and how far that is.

CREATE TABLE webhook_endpoints (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    url text NOT NULL CHECK (length(url) <= 2000),
    types text[] NOT NULL DEFAULT '{}', -- none: all
    description text NOT NULL DEFAULT '',
    enabled boolean NOT NULL DEFAULT false,
    disabled_because text NOT NULL DEFAULT '',
    switched integer NOT NULL DEFAULT 0, -- how often: on, off, or to other types
    -- Its secret is derived from this number; until when those of the numbers before
    -- count, the newest first.
    generation integer NOT NULL DEFAULT 1,
    old_until timestamptz[] NOT NULL DEFAULT '{}',
    -- The place in the log behind which all is delivered or parked.
    era smallint NOT NULL,
    xid xid8 NOT NULL,
    event_id bigint NOT NULL,
    -- The process that delivers.
    owner text,
    lease_until timestamptz,
    -- Nothing was taken since; and the last attempt that failed.
    failing_since timestamptz,
    failed_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now()
);

-- Subjects whose events wait, from ``seq`` on, because that one was not taken.
CREATE TABLE webhook_parked (
    endpoint_id integer NOT NULL REFERENCES webhook_endpoints ON DELETE CASCADE,
    subject text NOT NULL,
    subject_id integer NOT NULL,
    seq bigint NOT NULL,
    attempts integer NOT NULL,
    failed_since timestamptz NOT NULL,
    next_at timestamptz NOT NULL,
    parked_at timestamptz NOT NULL,
    PRIMARY KEY (endpoint_id, subject, subject_id)
);

-- Given up, until somebody resends them.
CREATE TABLE webhook_dead_letters (
    endpoint_id integer NOT NULL REFERENCES webhook_endpoints ON DELETE CASCADE,
    event_id bigint NOT NULL,
    error text NOT NULL,
    died_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (endpoint_id, event_id)
);

-- For people: each attempt, for some days.
CREATE TABLE webhook_attempts (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    endpoint_id integer NOT NULL,
    event_id bigint NOT NULL, -- 0: a test or a challenge
    type text NOT NULL,
    status smallint NOT NULL, -- 0: no answer
    error text NOT NULL,
    milliseconds integer NOT NULL,
    at timestamptz NOT NULL
);
CREATE INDEX attempts_of_endpoint ON webhook_attempts (endpoint_id, id DESC);
CREATE INDEX attempts_by_age ON webhook_attempts (at);

-- Live: nodes, channels, keys and sessions.

CREATE TABLE nodes (
    name text PRIMARY KEY CHECK (name ~ '^[a-z0-9][a-z0-9-]{0,31}$'),
    api_url text NOT NULL,
    rtmp_url text NOT NULL,
    hls_url text NOT NULL,
    webrtc_url text NOT NULL,
    srt_url text NOT NULL,
    rtsp_url text NOT NULL,
    region text NOT NULL DEFAULT '',
    sandbox boolean NOT NULL DEFAULT false,
    draining boolean NOT NULL DEFAULT false,
    silent_since timestamptz,
    silent_because text NOT NULL DEFAULT '',
    lost boolean NOT NULL DEFAULT false,
    started text NOT NULL DEFAULT '', -- as it says of itself
    owner text,
    lease_until timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    -- As the subject of events.
    id integer GENERATED ALWAYS AS IDENTITY UNIQUE,
    seq bigint NOT NULL DEFAULT 0,
    event_xid xid8 NOT NULL DEFAULT '0',
    -- Encoders publish to origins; the others serve what they get from those.
    role text NOT NULL DEFAULT 'origin'
        CHECK (role IN ('origin', 'edge', 'cache', 'cdn')),
    weight integer NOT NULL DEFAULT 1 CHECK (weight > 0), -- its share of the load
    -- What it carries at most; null: no bound.
    most_publishers integer CHECK (most_publishers > 0),
    most_readers integer CHECK (most_readers > 0),
    most_bits bigint CHECK (most_bits > 0), -- a second, to readers
    -- Draining, and encoders have to go: their sessions go on elsewhere.
    closed boolean NOT NULL DEFAULT false,
    -- Of an edge that drains: the share of its viewers that has been sent elsewhere, and
    -- since when it is so.
    let_go double precision NOT NULL DEFAULT 0 CHECK (let_go BETWEEN 0 AND 1),
    let_go_at timestamptz,
    bits bigint NOT NULL DEFAULT 0, -- a second, to readers, as counted last
    CONSTRAINT closed_drains CHECK (draining OR NOT closed),
    CONSTRAINT draining_lets_go CHECK (draining OR let_go = 0)
);

-- Viewers have to be cut there; gone once that is known to be done.
CREATE TABLE owed_cuts (
    id integer GENERATED ALWAYS AS IDENTITY (CYCLE) PRIMARY KEY,
    node text NOT NULL REFERENCES nodes ON DELETE CASCADE,
    owed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX owed_cuts_node ON owed_cuts (node);

CREATE TABLE channels (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id integer NOT NULL UNIQUE REFERENCES users,
    name text NOT NULL UNIQUE CHECK (name ~ '^[a-z][a-z0-9_-]{2,31}$'),
    path text NOT NULL UNIQUE,
    -- An encoder reconnects by itself; for a while after an end it is kept out.
    closed_until timestamptz,
    created_at timestamptz NOT NULL DEFAULT now()
);

-- A name belongs to one user, as a username or as a channel's, and user-<id> to that
-- user. No index spans two tables, so whoever takes a name holds a lock on it.
CREATE FUNCTION name_taken(wanted text, taker integer) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN wanted ~ '^user-[0-9]+$' AND wanted <> 'user-' || taker
        OR EXISTS (SELECT FROM users WHERE lower(username) = wanted
            AND username <> '' AND id <> taker)
        OR EXISTS (SELECT FROM channels WHERE name = wanted AND user_id <> taker);
END $$;

CREATE FUNCTION take_name(wanted text, taker integer) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended(wanted, 9));
    IF name_taken(wanted, taker) THEN
        RAISE EXCEPTION 'the name % is taken', wanted USING ERRCODE = 'unique_violation';
    END IF;
END $$;

CREATE FUNCTION take_username() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM take_name(lower(NEW.username), NEW.id);
    RETURN NEW;
END $$;
CREATE TRIGGER username_insert BEFORE INSERT ON users FOR EACH ROW
    WHEN (NEW.username <> '') EXECUTE FUNCTION take_username();
CREATE TRIGGER username_update BEFORE UPDATE OF username ON users FOR EACH ROW
    WHEN (NEW.username <> '' AND NEW.username <> OLD.username)
    EXECUTE FUNCTION take_username();

CREATE FUNCTION take_channel_name() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM take_name(NEW.name, NEW.user_id);
    RETURN NEW;
END $$;
CREATE TRIGGER channel_name BEFORE INSERT OR UPDATE OF name ON channels
    FOR EACH ROW EXECUTE FUNCTION take_channel_name();

-- Of all sessions: a channel's next one must not believe an older one's tokens.
CREATE SEQUENCE token_epochs AS integer;
CREATE TABLE live_streaming_sessions (
    id integer GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    user_id integer NOT NULL REFERENCES users,
    channel_id integer REFERENCES channels,
    path text NOT NULL,
    node text NOT NULL REFERENCES nodes,
    status text NOT NULL
        CHECK (status IN ('created', 'live', 'reconnecting', 'ended', 'expired')),
    title text NOT NULL DEFAULT '',
    cover text NOT NULL DEFAULT '',
    client_started_at text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz,
    started_at timestamptz,
    reconnect_window integer NOT NULL DEFAULT 60
        CHECK (reconnect_window BETWEEN 0 AND 1800),
    reconnect_until timestamptz,
    longest interval NOT NULL,
    publisher_type text,
    publisher_id text,
    publisher_key_id integer,
    ended_at timestamptz,
    end_reason text CHECK (end_reason IN ('completed', 'disconnected', 'kicked',
        'banned', 'superseded', 'node_lost', 'expired', 'too_long')),
    peak_viewers integer NOT NULL DEFAULT 0,
    -- Who may watch; default: as the service is set.
    policy text NOT NULL DEFAULT 'default'
        CHECK (policy IN ('default', 'public', 'token', 'followers', 'paid')),
    ticket_price integer NOT NULL DEFAULT 0 CHECK (ticket_price >= 0), -- coins
    -- Viewers' tokens of an earlier epoch count no more.
    token_epoch integer NOT NULL DEFAULT 0,
    heartbeat_at timestamptz,
    seq bigint NOT NULL DEFAULT 0,
    event_xid xid8 NOT NULL DEFAULT '0',
    CONSTRAINT paid_has_price CHECK ((policy = 'paid') = (ticket_price > 0)),
    CONSTRAINT live_has_publisher CHECK ((status = 'live') = (publisher_id IS NOT NULL)),
    CONSTRAINT reconnecting_has_deadline
        CHECK ((status = 'reconnecting') = (reconnect_until IS NOT NULL)),
    CONSTRAINT over_has_end CHECK ((status IN ('ended', 'expired'))
        = (ended_at IS NOT NULL AND end_reason IS NOT NULL)),
    CONSTRAINT expired_by_itself CHECK ((status = 'expired') = (end_reason = 'expired')
        OR end_reason IS NULL),
    CONSTRAINT begun_has_start CHECK (status NOT IN ('live', 'reconnecting')
        OR started_at IS NOT NULL)
);
CREATE UNIQUE INDEX one_open_session_per_path ON live_streaming_sessions (path)
    WHERE status IN ('created', 'live', 'reconnecting');
CREATE UNIQUE INDEX one_open_session_per_user ON live_streaming_sessions (user_id)
    WHERE status IN ('created', 'live', 'reconnecting');
CREATE INDEX open_sessions_by_node ON live_streaming_sessions (node)
    WHERE status IN ('created', 'live', 'reconnecting');
CREATE INDEX sessions_by_user ON live_streaming_sessions (user_id, id DESC);
CREATE INDEX sessions_by_path ON live_streaming_sessions (path, id DESC);
CREATE INDEX live_sessions ON live_streaming_sessions (started_at DESC, id DESC)
    WHERE status IN ('live', 'reconnecting');

CREATE FUNCTION check_session_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.status IN ('ended', 'expired') AND NEW.status IS DISTINCT FROM OLD.status THEN
        RAISE EXCEPTION 'session % is over: it cannot become %', OLD.id, NEW.status
            USING ERRCODE = 'check_violation';
    END IF;
    IF (OLD.status, NEW.status) IN (('live', 'created'), ('reconnecting', 'created'),
        ('created', 'reconnecting'), ('live', 'expired'), ('reconnecting', 'expired'))
    THEN
        RAISE EXCEPTION 'session % cannot go from % to %', OLD.id, OLD.status, NEW.status
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER session_change BEFORE UPDATE OF status ON live_streaming_sessions
    FOR EACH ROW EXECUTE FUNCTION check_session_change();

-- Not columns of the sessions: their rows are locked for each of their events.
CREATE TABLE session_attendance (
    session_id integer PRIMARY KEY REFERENCES live_streaming_sessions,
    unique_viewers integer NOT NULL DEFAULT 0,
    viewer_seconds double precision NOT NULL DEFAULT 0,
    -- Unix seconds; what ended before is in viewer_seconds.
    counted_until double precision NOT NULL DEFAULT 0
);

-- Those minutes in which somebody watched.
CREATE TABLE session_minutes (
    session_id integer NOT NULL REFERENCES live_streaming_sessions,
    minute timestamptz NOT NULL,
    viewers_max integer NOT NULL,
    viewer_seconds double precision NOT NULL,
    PRIMARY KEY (session_id, minute)
);

-- Those minutes in which a picture came in.
CREATE TABLE session_intake (
    session_id integer NOT NULL REFERENCES live_streaming_sessions,
    minute timestamptz NOT NULL,
    bitrate bigint, -- bits a second
    frames_in_error bigint, -- since the encoder came
    PRIMARY KEY (session_id, minute)
);

CREATE TABLE stream_keys (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id integer NOT NULL REFERENCES users,
    session_id integer REFERENCES live_streaming_sessions,
    channel_id integer REFERENCES channels,
    name text NOT NULL DEFAULT '',
    hash bytea NOT NULL UNIQUE CHECK (octet_length(hash) = 32),
    hint text NOT NULL,
    expires_at timestamptz,
    first_published_at timestamptz,
    last_published_at timestamptz,
    superseded_at timestamptz,
    revoked_at timestamptz,
    -- Outside of these nothing begins with it; what runs goes on.
    opens_at timestamptz,
    closes_at timestamptz,
    replaced_by integer REFERENCES stream_keys,
    -- Of a key for one broadcast: which one that was.
    one_shot boolean NOT NULL DEFAULT false,
    -- The mark of the device that asked for it, where it gave one.
    device text NOT NULL DEFAULT '',
    spent_on integer REFERENCES live_streaming_sessions,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT key_spent_once CHECK (one_shot OR spent_on IS NULL),
    CONSTRAINT key_of_one CHECK ((session_id IS NULL) <> (channel_id IS NULL))
);
CREATE INDEX keys_of_session ON stream_keys (session_id)
    WHERE revoked_at IS NULL AND superseded_at IS NULL;
CREATE INDEX keys_of_channel ON stream_keys (channel_id)
    WHERE revoked_at IS NULL AND superseded_at IS NULL;
CREATE INDEX keys_of_user ON stream_keys (user_id);

-- Which key let a connection in. Written after the answer, so it can be missing.
CREATE TABLE publish_grants (
    node text NOT NULL,
    source_id text NOT NULL,
    path text NOT NULL,
    key_id integer,
    granted_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    ended_at timestamptz,
    PRIMARY KEY (node, source_id)
);
CREATE INDEX grants_by_age ON publish_grants (granted_at);

-- What the auth endpoint remembers is kept fresh by these notices: the path
-- whose permission may have changed.
CREATE FUNCTION notice_session() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('permissions', NEW.path);
    RETURN NULL;
END $$;
CREATE TRIGGER session_notice_insert AFTER INSERT ON live_streaming_sessions
    FOR EACH ROW EXECUTE FUNCTION notice_session();
CREATE TRIGGER session_notice_update AFTER UPDATE ON live_streaming_sessions
    FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status
        OR OLD.node IS DISTINCT FROM NEW.node
        OR OLD.token_epoch IS DISTINCT FROM NEW.token_epoch)
    EXECUTE FUNCTION notice_session();

CREATE TABLE viewer_denials (
    session_id integer NOT NULL REFERENCES live_streaming_sessions,
    user_id integer REFERENCES users,
    viewer text,
    -- Tokens of an earlier epoch; null: all, for good.
    epoch integer,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT denies_one CHECK ((user_id IS NULL) <> (viewer IS NULL)),
    CONSTRAINT denied_once UNIQUE NULLS NOT DISTINCT (session_id, user_id, viewer)
);
-- Of accounts, where a setting limits how many of them play at once.
CREATE TABLE viewings (
    session_id integer NOT NULL REFERENCES live_streaming_sessions,
    viewer text NOT NULL,
    user_id integer NOT NULL REFERENCES users,
    since timestamptz NOT NULL DEFAULT clock_timestamp(),
    cut_at timestamptz, -- for a newer one
    PRIMARY KEY (session_id, viewer)
);
CREATE INDEX viewings_of_user ON viewings (user_id, since DESC);
CREATE FUNCTION notice_denial() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('permissions', path)
        FROM live_streaming_sessions WHERE id = NEW.session_id;
    RETURN NULL;
END $$;
CREATE TRIGGER denial_notice AFTER INSERT OR UPDATE ON viewer_denials
    FOR EACH ROW EXECUTE FUNCTION notice_denial();

CREATE FUNCTION notice_key() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('permissions', path) FROM (
        SELECT path FROM live_streaming_sessions WHERE id = NEW.session_id
        UNION ALL
        SELECT path FROM channels WHERE id = NEW.channel_id
    ) AS paths;
    RETURN NULL;
END $$;
CREATE TRIGGER key_notice AFTER INSERT OR UPDATE ON stream_keys
    FOR EACH ROW EXECUTE FUNCTION notice_key();

CREATE FUNCTION notice_channel() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('permissions', NEW.path);
    RETURN NULL;
END $$;
CREATE TRIGGER channel_notice AFTER INSERT OR UPDATE ON channels
    FOR EACH ROW EXECUTE FUNCTION notice_channel();

CREATE FUNCTION notice_user() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('permissions', path) FROM (
        SELECT path FROM live_streaming_sessions WHERE user_id = NEW.id
            AND status IN ('created', 'live', 'reconnecting')
        UNION
        SELECT path FROM channels WHERE user_id = NEW.id
    ) AS paths;
    RETURN NULL;
END $$;
CREATE TRIGGER user_notice AFTER UPDATE ON users FOR EACH ROW
    WHEN (OLD.banned_at IS DISTINCT FROM NEW.banned_at
        OR OLD.deleted_at IS DISTINCT FROM NEW.deleted_at)
    EXECUTE FUNCTION notice_user();

-- Who may neither publish nor watch: an account, a device or a range of addresses.
CREATE TABLE bans (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id integer REFERENCES users,
    device text,
    network cidr,
    reason text NOT NULL,
    actor text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    ends_at timestamptz, -- null: when somebody lifts it
    ended_at timestamptz,
    -- Of its events, where it is a device's or a range's.
    seq bigint NOT NULL DEFAULT 0,
    event_xid xid8 NOT NULL DEFAULT '0',
    CONSTRAINT bans_one CHECK (num_nonnulls(user_id, device, network) = 1)
);
CREATE UNIQUE INDEX banned_once ON bans (user_id, device, network) NULLS NOT DISTINCT
    WHERE ended_at IS NULL;
CREATE INDEX bans_by_device ON bans (device) WHERE ended_at IS NULL;
CREATE INDEX bans_by_network ON bans USING gist (network inet_ops)
    WHERE ended_at IS NULL;

CREATE FUNCTION notice_ban() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('bans', '');
    RETURN NULL;
END $$;
CREATE TRIGGER ban_notice_insert AFTER INSERT ON bans
    FOR EACH ROW EXECUTE FUNCTION notice_ban();
CREATE TRIGGER ban_notice_update AFTER UPDATE OF ends_at, ended_at ON bans
    FOR EACH ROW EXECUTE FUNCTION notice_ban();

CREATE FUNCTION notice_node() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('nodes', '');
    RETURN NULL;
END $$;
CREATE TRIGGER node_notice AFTER INSERT OR DELETE
    OR UPDATE OF role, draining, closed, let_go, most_publishers ON nodes
    FOR EACH STATEMENT EXECUTE FUNCTION notice_node();

-- Videos of the feed.

CREATE TABLE videos (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id integer NOT NULL REFERENCES users,
    description text NOT NULL DEFAULT '',
    -- A path that begins with / is on this server.
    video_url text NOT NULL,
    thumbnail_url text NOT NULL DEFAULT '',
    duration double precision NOT NULL DEFAULT 0 CHECK (duration >= 0), -- seconds
    width integer NOT NULL DEFAULT 0,
    height integer NOT NULL DEFAULT 0,
    privacy_type text NOT NULL DEFAULT 'public'
        CHECK (privacy_type IN ('public', 'friends', 'private')),
    allow_comments boolean NOT NULL DEFAULT true,
    allow_duet boolean NOT NULL DEFAULT true,
    view_count integer NOT NULL DEFAULT 0 CHECK (view_count >= 0),
    like_count integer NOT NULL DEFAULT 0 CHECK (like_count >= 0),
    comment_count integer NOT NULL DEFAULT 0 CHECK (comment_count >= 0),
    favourite_count integer NOT NULL DEFAULT 0 CHECK (favourite_count >= 0),
    share_count integer NOT NULL DEFAULT 0 CHECK (share_count >= 0),
    deleted_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX videos_url ON videos (video_url);
CREATE INDEX videos_of_user ON videos (user_id, id DESC) WHERE deleted_at IS NULL;
CREATE INDEX videos_public ON videos (id DESC)
    WHERE deleted_at IS NULL AND privacy_type = 'public';

CREATE TABLE video_likes (
    id integer GENERATED ALWAYS AS IDENTITY UNIQUE,
    video_id integer NOT NULL REFERENCES videos,
    user_id integer NOT NULL REFERENCES users,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (video_id, user_id)
);
CREATE INDEX likes_of_user ON video_likes (user_id, id DESC);

-- viewer: "user <id>", or "guest <name>". What guests leave here is bounded: for each
-- address, for each guest, and in time.
CREATE TABLE video_views (
    viewer text NOT NULL,
    video_id integer NOT NULL REFERENCES videos,
    first_at timestamptz NOT NULL DEFAULT now(),
    last_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (viewer, video_id)
);
CREATE INDEX views_of_guests ON video_views (last_at) WHERE viewer LIKE 'guest %';

-- When a viewer last opened a feed at its top, and the newest video then: the pages
-- that follow show what that one promised, whatever is watched or posted meanwhile.
CREATE UNLOGGED TABLE feeds (
    viewer text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('related', 'following')),
    opened_at timestamptz NOT NULL,
    newest integer NOT NULL,
    PRIMARY KEY (viewer, kind)
);
CREATE INDEX feeds_of_guests ON feeds (opened_at) WHERE viewer LIKE 'guest %';

-- Coins: a double-entry ledger, and what is bought, given and paid out with it.
--
-- A transfer is the set of its entries; they sum to zero. Nothing here is ever
-- changed or deleted. Balances are made from entries by a trigger and by nothing
-- else, so that no code can let the two differ.

CREATE TABLE wallets (
    user_id integer PRIMARY KEY REFERENCES users,
    -- What test purchases brought: it can be given, and never paid out.
    trial bigint NOT NULL DEFAULT 0 CHECK (trial >= 0),
    paid bigint NOT NULL DEFAULT 0 CHECK (paid >= 0),
    bonus bigint NOT NULL DEFAULT 0 CHECK (bonus >= 0),
    earnings bigint NOT NULL DEFAULT 0 CHECK (earnings >= 0),
    hold bigint NOT NULL DEFAULT 0 CHECK (hold >= 0),
    -- Below zero: what refunds took back that was spent already.
    owed bigint NOT NULL DEFAULT 0 CHECK (owed <= 0),
    -- Earned by gifts in all time, whatever became of it.
    received bigint NOT NULL DEFAULT 0 CHECK (received >= 0)
);

CREATE FUNCTION open_wallet() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO wallets (user_id) VALUES (NEW.id);
    RETURN NULL;
END $$;
CREATE TRIGGER user_wallet AFTER INSERT ON users
    FOR EACH ROW EXECUTE FUNCTION open_wallet();

CREATE TABLE ledger_transfers (
    id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('gift', 'purchase', 'refund',
        'refund_reversed', 'bonus', 'payout_requested', 'payout_paid',
        'payout_rejected', 'ticket', 'ticket_used', 'ticket_refunded')),
    created_at timestamptz NOT NULL DEFAULT now()
);

-- clearing: coins from and to the world outside; share: the platform's part; escrow:
-- what tickets cost that nobody has watched with yet.
-- These have no stored balance: every purchase would wait for one row.
CREATE TABLE ledger_entries (
    transfer_id bigint NOT NULL REFERENCES ledger_transfers,
    account text NOT NULL CHECK (account IN ('clearing', 'share', 'escrow', 'trial', 'paid',
        'bonus', 'earnings', 'hold', 'owed')),
    user_id integer,
    amount bigint NOT NULL CHECK (amount <> 0),
    CONSTRAINT whose CHECK (
        (account IN ('clearing', 'share', 'escrow')) = (user_id IS NULL))
);
CREATE UNIQUE INDEX entries_of_user ON ledger_entries
    (user_id, transfer_id, account) NULLS NOT DISTINCT;

-- Once per statement, so all entries of a transfer come in one statement.
CREATE FUNCTION apply_entries() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    owners bigint;
    changed bigint;
BEGIN
    IF EXISTS (SELECT FROM entered GROUP BY transfer_id HAVING sum(amount) <> 0) THEN
        RAISE EXCEPTION 'the entries of a transfer do not sum to zero'
            USING ERRCODE = 'check_violation';
    END IF;
    -- Trial coins come from outside and go there; no other account ever has them.
    IF EXISTS (SELECT FROM entered WHERE account IN ('trial', 'clearing')
        GROUP BY transfer_id HAVING sum(amount) <> 0 AND bool_or(account = 'trial'))
    THEN
        RAISE EXCEPTION 'trial coins stay trial coins'
            USING ERRCODE = 'check_violation';
    END IF;
    SELECT count(DISTINCT user_id) INTO owners FROM entered;
    UPDATE wallets w SET
        trial = w.trial + d.trial, paid = w.paid + d.paid,
        bonus = w.bonus + d.bonus, earnings = w.earnings + d.earnings,
        hold = w.hold + d.hold, owed = w.owed + d.owed,
        received = w.received + d.received
    FROM (
        SELECT e.user_id,
            coalesce(sum(amount) FILTER (WHERE account = 'trial'), 0) AS trial,
            coalesce(sum(amount) FILTER (WHERE account = 'paid'), 0) AS paid,
            coalesce(sum(amount) FILTER (WHERE account = 'bonus'), 0) AS bonus,
            coalesce(sum(amount) FILTER (WHERE account = 'earnings'), 0) AS earnings,
            coalesce(sum(amount) FILTER (WHERE account = 'hold'), 0) AS hold,
            coalesce(sum(amount) FILTER (WHERE account = 'owed'), 0) AS owed,
            coalesce(sum(amount) FILTER (WHERE account IN ('earnings', 'trial')
                AND amount > 0 AND t.kind = 'gift'), 0) AS received
        FROM entered e JOIN ledger_transfers t ON t.id = e.transfer_id
        WHERE e.user_id IS NOT NULL GROUP BY e.user_id
    ) d WHERE w.user_id = d.user_id;
    GET DIAGNOSTICS changed = ROW_COUNT;
    IF changed <> owners THEN
        RAISE EXCEPTION 'an entry names a user without a wallet'
            USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER entries_make_balances AFTER INSERT ON ledger_entries
    REFERENCING NEW TABLE AS entered
    FOR EACH STATEMENT EXECUTE FUNCTION apply_entries();

CREATE TRIGGER transfers_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_transfers
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER entries_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_entries
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER wallets_stay BEFORE DELETE OR TRUNCATE ON wallets
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER wallets_follow_entries BEFORE INSERT OR UPDATE ON wallets
    FOR EACH ROW WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION refuse_change();

-- What a user sees of the ledger: two rows for each gift, one for each side.
CREATE VIEW coin_transactions AS
    SELECT t.id AS transfer_id, e.user_id, t.kind, sum(e.amount)::bigint AS coins,
        t.created_at
    FROM ledger_entries e JOIN ledger_transfers t ON t.id = e.transfer_id
    WHERE e.account IN ('trial', 'paid', 'bonus', 'earnings')
    GROUP BY t.id, e.user_id;

CREATE TABLE gifts (
    id integer GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    title text NOT NULL,
    coins integer NOT NULL CHECK (coins > 0),
    image text NOT NULL DEFAULT '',
    icon text NOT NULL DEFAULT '',
    type text NOT NULL DEFAULT 'normal',
    featured boolean NOT NULL DEFAULT false,
    time integer NOT NULL DEFAULT 3,
    position text NOT NULL DEFAULT 'center',
    display_order integer NOT NULL DEFAULT 0,
    on_sale boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now()
);
-- A picture's address that begins with / is on this server.
INSERT INTO gifts (title, coins, type, display_order, image, icon) VALUES
    ('Rose', 10, 'normal', 1, '/gifts/rose.png', '/gifts/rose.png'),
    ('Heart', 50, 'normal', 2, '/gifts/heart.png', '/gifts/heart.png'),
    ('Diamond', 1000, 'premium', 3, '/gifts/diamond.png', '/gifts/diamond.png'),
    ('Universe', 5000, 'premium', 4, '/gifts/universe.png', '/gifts/universe.png');

CREATE TABLE gift_transactions (
    id integer GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    transfer_id bigint NOT NULL UNIQUE REFERENCES ledger_transfers,
    gift_id integer NOT NULL REFERENCES gifts,
    gift_count integer NOT NULL CHECK (gift_count BETWEEN 1 AND 999),
    coins bigint NOT NULL CHECK (coins > 0),
    sender_id integer NOT NULL,
    receiver_id integer NOT NULL CHECK (receiver_id <> sender_id),
    live_streaming_id integer REFERENCES live_streaming_sessions,
    video_id integer REFERENCES videos,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX gifts_of_session ON gift_transactions (live_streaming_id, id DESC)
    WHERE live_streaming_id IS NOT NULL;
CREATE TRIGGER gift_transactions_stay
    BEFORE UPDATE OR DELETE OR TRUNCATE ON gift_transactions
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- What users gave and were given, for leader boards: added up by a trigger and by
-- nothing else. A user's rows are written under the lock of the user's wallet.
CREATE TABLE gift_hours (
    hour timestamptz NOT NULL,
    session_id integer NOT NULL, -- 0: of no live session
    user_id integer NOT NULL,
    sent boolean NOT NULL, -- else received
    coins bigint NOT NULL CHECK (coins > 0),
    PRIMARY KEY (sent, hour, session_id, user_id)
) WITH (fillfactor = 80);
CREATE INDEX gift_hours_of_session ON gift_hours (session_id, sent);
CREATE TABLE gift_days (
    day date NOT NULL, -- of UTC
    user_id integer NOT NULL,
    sent boolean NOT NULL,
    coins bigint NOT NULL CHECK (coins > 0),
    PRIMARY KEY (sent, day, user_id)
) WITH (fillfactor = 80);

CREATE FUNCTION add_up_gifts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO gift_hours AS known (sent, hour, session_id, user_id, coins)
    SELECT side.sent, date_trunc('hour', created_at, 'UTC'),
        coalesce(live_streaming_id, 0), side.user_id, sum(given.coins)
    FROM given, LATERAL (VALUES (true, sender_id), (false, receiver_id))
        AS side (sent, user_id)
    GROUP BY 1, 2, 3, 4
    ON CONFLICT (sent, hour, session_id, user_id)
        DO UPDATE SET coins = known.coins + excluded.coins;
    INSERT INTO gift_days AS known (sent, day, user_id, coins)
    SELECT side.sent, (created_at AT TIME ZONE 'UTC')::date, side.user_id, sum(given.coins)
    FROM given, LATERAL (VALUES (true, sender_id), (false, receiver_id))
        AS side (sent, user_id)
    GROUP BY 1, 2, 3
    ON CONFLICT (sent, day, user_id)
        DO UPDATE SET coins = known.coins + excluded.coins;
    RETURN NULL;
END $$;
CREATE TRIGGER gifts_add_up AFTER INSERT ON gift_transactions
    REFERENCING NEW TABLE AS given
    FOR EACH STATEMENT EXECUTE FUNCTION add_up_gifts();

-- The right to watch one session, however often it is interrupted. Its coins are the
-- host's once somebody watched with it.
CREATE TABLE tickets (
    id integer GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    session_id integer NOT NULL REFERENCES live_streaming_sessions,
    user_id integer NOT NULL REFERENCES users,
    host_id integer NOT NULL REFERENCES users CHECK (host_id <> user_id),
    coins bigint NOT NULL CHECK (coins > 0),
    transfer_id bigint NOT NULL UNIQUE REFERENCES ledger_transfers,
    watched_at timestamptz,
    used_transfer_id bigint UNIQUE REFERENCES ledger_transfers,
    refund_transfer_id bigint UNIQUE REFERENCES ledger_transfers,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT used_once_watched CHECK (used_transfer_id IS NULL OR watched_at IS NOT NULL),
    CONSTRAINT refunded_unwatched CHECK (refund_transfer_id IS NULL OR watched_at IS NULL)
);
CREATE UNIQUE INDEX one_ticket_each ON tickets (session_id, user_id)
    WHERE refund_transfer_id IS NULL;
CREATE INDEX tickets_unsettled ON tickets (id)
    WHERE used_transfer_id IS NULL AND refund_transfer_id IS NULL;

CREATE TABLE coin_packages (
    id integer GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    coins integer NOT NULL CHECK (coins > 0),
    price_minor bigint NOT NULL CHECK (price_minor >= 0),
    currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    on_sale boolean NOT NULL DEFAULT true
);
-- The stores' names of a package, in lower case. A store's own name may have the
-- app's name before the last dot.
CREATE TABLE coin_products (
    product_id text PRIMARY KEY CHECK (product_id = lower(product_id)),
    package_id integer NOT NULL REFERENCES coin_packages
);
INSERT INTO coin_packages (id, coins, price_minor, currency) OVERRIDING SYSTEM VALUE
VALUES (1, 100, 100, 'USD'), (2, 500, 500, 'USD'), (3, 2000, 2000, 'USD'),
    (4, 5000, 5000, 'USD'), (5, 10000, 10000, 'USD');
SELECT setval(pg_get_serial_sequence('coin_packages', 'id'), 5);
INSERT INTO coin_products (product_id, package_id)
    SELECT 'buy' || coins || 'coins', id FROM coin_packages;

CREATE TABLE purchases (
    id integer GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    user_id integer NOT NULL REFERENCES users,
    store text NOT NULL CHECK (store IN ('apple', 'google', 'test')),
    environment text NOT NULL CHECK (environment IN ('production', 'sandbox', 'test')),
    -- It brought trial coins: each test purchase, but for those that 0.1.0 credited.
    trial boolean NOT NULL,
    transaction_id text NOT NULL,
    product_id text NOT NULL,
    package_id integer NOT NULL REFERENCES coin_packages,
    quantity integer NOT NULL CHECK (quantity > 0),
    coins bigint NOT NULL CHECK (coins > 0),
    -- Of these, what was given back so far.
    refunded_coins bigint NOT NULL DEFAULT 0
        CHECK (refunded_coins BETWEEN 0 AND coins),
    -- And of these, what was taken or is owed: of test purchases, what was left.
    taken_coins bigint NOT NULL DEFAULT 0
        CHECK (taken_coins BETWEEN 0 AND refunded_coins),
    price_minor bigint NOT NULL,
    currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    title text NOT NULL,
    device text NOT NULL,
    status text NOT NULL DEFAULT 'credited' CHECK (status IN ('credited', 'refunded')),
    transfer_id bigint NOT NULL UNIQUE REFERENCES ledger_transfers,
    -- The last one, where there were several.
    refund_transfer_id bigint UNIQUE REFERENCES ledger_transfers,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (store, environment, transaction_id),
    CHECK ((store = 'test') = (environment = 'test')),
    CHECK ((status = 'refunded') = (refunded_coins = coins))
);
CREATE INDEX purchases_of_user ON purchases (user_id, id DESC);

-- A store may tell us of a refund before the phone tells us of the purchase.
CREATE TABLE early_refunds (
    store text NOT NULL,
    transaction_id text NOT NULL,
    -- How much of the purchase, in thousandths of a percent.
    share integer NOT NULL DEFAULT 100000 CHECK (share BETWEEN 0 AND 100000),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (store, transaction_id)
);

-- What a store said last of a refund that it may take back. It sends again what it has
-- no answer to, also after it has said the opposite.
CREATE TABLE refund_notices (
    store text NOT NULL,
    transaction_id text NOT NULL,
    given_back boolean NOT NULL,
    signed_at timestamptz NOT NULL,
    PRIMARY KEY (store, transaction_id)
);

CREATE TABLE payout_methods (
    id integer GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    user_id integer NOT NULL REFERENCES users,
    type text NOT NULL,
    value text NOT NULL,
    chosen_at timestamptz NOT NULL DEFAULT now(),
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (user_id, type)
);

CREATE TABLE withdraw_requests (
    id integer GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    user_id integer NOT NULL REFERENCES users,
    coins bigint NOT NULL CHECK (coins > 0),
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    method text NOT NULL,
    destination text NOT NULL,
    status text NOT NULL DEFAULT 'pending'
        CHECK (status IN ('pending', 'paid', 'rejected')),
    note text NOT NULL DEFAULT '',
    -- Who said first that it may be paid, where two have to.
    approved_by text NOT NULL DEFAULT '',
    hold_transfer_id bigint NOT NULL UNIQUE REFERENCES ledger_transfers,
    decision_transfer_id bigint UNIQUE REFERENCES ledger_transfers,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CHECK ((status = 'pending') = (decision_transfer_id IS NULL))
);
CREATE UNIQUE INDEX one_pending_request_per_user ON withdraw_requests (user_id)
    WHERE status = 'pending';
CREATE INDEX requests_of_user ON withdraw_requests (user_id, id DESC);
CREATE INDEX pending_requests ON withdraw_requests (id) WHERE status = 'pending';

-- Read and written under the lock of the user's wallet.
CREATE TABLE idempotency_keys (
    user_id integer NOT NULL REFERENCES users,
    key text NOT NULL,
    fingerprint bytea NOT NULL,
    code integer NOT NULL,
    outcome jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, key)
);
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);

REVOKE UPDATE, DELETE, TRUNCATE ON ledger_transfers, ledger_entries,
    gift_transactions, wallets FROM PUBLIC;
