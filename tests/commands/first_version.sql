-- What version 0.1.0 wrote itself: its tables and rows after broadcasts, gifts, purchases,
-- payouts, a refund, a ban and a deletion, by pg_dump. See test_upgrade.py.
SELECT pg_catalog.set_config('search_path', '', false);
CREATE FUNCTION public.apply_entries() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
    owners bigint;
    changed bigint;
BEGIN
    IF EXISTS (SELECT FROM entered GROUP BY transfer_id HAVING sum(amount) <> 0) THEN
        RAISE EXCEPTION 'the entries of a transfer do not sum to zero'
            USING ERRCODE = 'check_violation';
    END IF;
    SELECT count(DISTINCT user_id) INTO owners FROM entered;
    UPDATE wallets w SET
        paid = w.paid + d.paid, bonus = w.bonus + d.bonus,
        earnings = w.earnings + d.earnings, hold = w.hold + d.hold,
        owed = w.owed + d.owed, received = w.received + d.received
    FROM (
        SELECT e.user_id,
            coalesce(sum(amount) FILTER (WHERE account = 'paid'), 0) AS paid,
            coalesce(sum(amount) FILTER (WHERE account = 'bonus'), 0) AS bonus,
            coalesce(sum(amount) FILTER (WHERE account = 'earnings'), 0) AS earnings,
            coalesce(sum(amount) FILTER (WHERE account = 'hold'), 0) AS hold,
            coalesce(sum(amount) FILTER (WHERE account = 'owed'), 0) AS owed,
            coalesce(sum(amount) FILTER (WHERE account = 'earnings' AND amount > 0
                AND t.kind = 'gift'), 0) AS received
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
CREATE FUNCTION public.check_session_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
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
CREATE FUNCTION public.notice_channel() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    PERFORM pg_notify('permissions', NEW.path);
    RETURN NULL;
END $$;
CREATE FUNCTION public.notice_key() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    PERFORM pg_notify('permissions', path) FROM (
        SELECT path FROM live_streaming_sessions WHERE id = NEW.session_id
        UNION ALL
        SELECT path FROM channels WHERE id = NEW.channel_id
    ) AS paths;
    RETURN NULL;
END $$;
CREATE FUNCTION public.notice_node() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    PERFORM pg_notify('nodes', '');
    RETURN NULL;
END $$;
CREATE FUNCTION public.notice_session() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    PERFORM pg_notify('permissions', NEW.path);
    RETURN NULL;
END $$;
CREATE FUNCTION public.notice_user() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    PERFORM pg_notify('permissions', path) FROM (
        SELECT path FROM live_streaming_sessions WHERE user_id = NEW.id
            AND status IN ('created', 'live', 'reconnecting')
        UNION
        SELECT path FROM channels WHERE user_id = NEW.id
    ) AS paths;
    RETURN NULL;
END $$;
CREATE FUNCTION public.open_wallet() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO wallets (user_id) VALUES (NEW.id);
    RETURN NULL;
END $$;
CREATE FUNCTION public.refuse_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TABLE public.blocks (
    id integer NOT NULL,
    user_id integer NOT NULL,
    block_user_id integer NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT not_oneself CHECK ((user_id <> block_user_id))
);
ALTER TABLE public.blocks ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.blocks_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.channels (
    id integer NOT NULL,
    user_id integer NOT NULL,
    name text NOT NULL,
    path text NOT NULL,
    closed_until timestamp with time zone,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT channels_name_check CHECK ((name ~ '^[a-z][a-z0-9_-]{2,31}$'::text))
);
ALTER TABLE public.channels ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.channels_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.coin_packages (
    id integer NOT NULL,
    coins integer NOT NULL,
    price_minor bigint NOT NULL,
    currency text NOT NULL,
    on_sale boolean DEFAULT true NOT NULL,
    CONSTRAINT coin_packages_coins_check CHECK ((coins > 0)),
    CONSTRAINT coin_packages_currency_check CHECK ((currency ~ '^[A-Z]{3}$'::text)),
    CONSTRAINT coin_packages_price_minor_check CHECK ((price_minor >= 0))
);
ALTER TABLE public.coin_packages ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.coin_packages_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.coin_products (
    product_id text NOT NULL,
    package_id integer NOT NULL,
    CONSTRAINT coin_products_product_id_check CHECK ((product_id = lower(product_id)))
);
CREATE VIEW public.coin_transactions AS
SELECT
    NULL::bigint AS transfer_id,
    NULL::integer AS user_id,
    NULL::text AS kind,
    NULL::bigint AS coin,
    NULL::timestamp with time zone AS created_at;
CREATE TABLE public.devices (
    id integer NOT NULL,
    key text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);
ALTER TABLE public.devices ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.devices_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.early_refunds (
    store text NOT NULL,
    transaction_id text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE public.events (
    subject text NOT NULL,
    subject_id integer NOT NULL,
    seq bigint NOT NULL,
    type text NOT NULL,
    data jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT events_subject_check CHECK ((subject = ANY (ARRAY['session'::text, 'user'::text])))
);
CREATE TABLE public.feeds (
    viewer text NOT NULL,
    kind text NOT NULL,
    opened_at timestamp with time zone NOT NULL,
    newest integer NOT NULL,
    CONSTRAINT feeds_kind_check CHECK ((kind = ANY (ARRAY['related'::text, 'following'::text])))
);
CREATE TABLE public.follows (
    id integer NOT NULL,
    follower_id integer NOT NULL,
    followed_id integer NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT not_oneself CHECK ((follower_id <> followed_id))
);
ALTER TABLE public.follows ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.follows_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.gift_transactions (
    id integer NOT NULL,
    transfer_id bigint NOT NULL,
    gift_id integer NOT NULL,
    gift_count integer NOT NULL,
    coin bigint NOT NULL,
    sender_id integer NOT NULL,
    receiver_id integer NOT NULL,
    live_streaming_id integer,
    video_id integer,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT gift_transactions_check CHECK ((receiver_id <> sender_id)),
    CONSTRAINT gift_transactions_coin_check CHECK ((coin > 0)),
    CONSTRAINT gift_transactions_gift_count_check CHECK (((gift_count >= 1) AND (gift_count <= 999)))
);
ALTER TABLE public.gift_transactions ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.gift_transactions_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.gifts (
    id integer NOT NULL,
    title text NOT NULL,
    coin integer NOT NULL,
    image text DEFAULT ''::text NOT NULL,
    icon text DEFAULT ''::text NOT NULL,
    type text DEFAULT 'normal'::text NOT NULL,
    featured boolean DEFAULT false NOT NULL,
    "time" integer DEFAULT 3 NOT NULL,
    "position" text DEFAULT 'center'::text NOT NULL,
    display_order integer DEFAULT 0 NOT NULL,
    on_sale boolean DEFAULT true NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT gifts_coin_check CHECK ((coin > 0))
);
ALTER TABLE public.gifts ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.gifts_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.idempotency_keys (
    user_id integer NOT NULL,
    key text NOT NULL,
    fingerprint bytea NOT NULL,
    code integer NOT NULL,
    outcome jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE public.identities (
    provider text NOT NULL,
    subject text NOT NULL,
    user_id integer NOT NULL,
    verified boolean NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE public.ledger_entries (
    transfer_id bigint NOT NULL,
    account text NOT NULL,
    user_id integer,
    amount bigint NOT NULL,
    CONSTRAINT ledger_entries_account_check CHECK ((account = ANY (ARRAY['clearing'::text, 'share'::text, 'paid'::text, 'bonus'::text, 'earnings'::text, 'hold'::text, 'owed'::text]))),
    CONSTRAINT ledger_entries_amount_check CHECK ((amount <> 0)),
    CONSTRAINT whose CHECK (((account = ANY (ARRAY['clearing'::text, 'share'::text])) = (user_id IS NULL)))
);
CREATE TABLE public.ledger_transfers (
    id bigint NOT NULL,
    kind text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT ledger_transfers_kind_check CHECK ((kind = ANY (ARRAY['gift'::text, 'purchase'::text, 'refund'::text, 'refund_reversed'::text, 'grant'::text, 'payout_requested'::text, 'payout_paid'::text, 'payout_rejected'::text])))
);
ALTER TABLE public.ledger_transfers ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.ledger_transfers_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.live_streaming_sessions (
    id integer NOT NULL,
    user_id integer NOT NULL,
    channel_id integer,
    path text NOT NULL,
    node text NOT NULL,
    status text NOT NULL,
    title text DEFAULT ''::text NOT NULL,
    cover text DEFAULT ''::text NOT NULL,
    client_started_at text DEFAULT ''::text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    expires_at timestamp with time zone,
    started_at timestamp with time zone,
    reconnect_window integer DEFAULT 60 NOT NULL,
    reconnect_until timestamp with time zone,
    longest interval NOT NULL,
    publisher_type text,
    publisher_id text,
    publisher_key_id integer,
    ended_at timestamp with time zone,
    end_reason text,
    peak_viewers integer DEFAULT 0 NOT NULL,
    seq bigint DEFAULT 0 NOT NULL,
    CONSTRAINT begun_has_start CHECK (((status <> ALL (ARRAY['live'::text, 'reconnecting'::text])) OR (started_at IS NOT NULL))),
    CONSTRAINT expired_by_itself CHECK ((((status = 'expired'::text) = (end_reason = 'expired'::text)) OR (end_reason IS NULL))),
    CONSTRAINT live_has_publisher CHECK (((status = 'live'::text) = (publisher_id IS NOT NULL))),
    CONSTRAINT live_streaming_sessions_end_reason_check CHECK ((end_reason = ANY (ARRAY['completed'::text, 'disconnected'::text, 'kicked'::text, 'banned'::text, 'superseded'::text, 'node_lost'::text, 'expired'::text, 'too_long'::text]))),
    CONSTRAINT live_streaming_sessions_reconnect_window_check CHECK (((reconnect_window >= 0) AND (reconnect_window <= 1800))),
    CONSTRAINT live_streaming_sessions_status_check CHECK ((status = ANY (ARRAY['created'::text, 'live'::text, 'reconnecting'::text, 'ended'::text, 'expired'::text]))),
    CONSTRAINT over_has_end CHECK (((status = ANY (ARRAY['ended'::text, 'expired'::text])) = ((ended_at IS NOT NULL) AND (end_reason IS NOT NULL)))),
    CONSTRAINT reconnecting_has_deadline CHECK (((status = 'reconnecting'::text) = (reconnect_until IS NOT NULL)))
);
ALTER TABLE public.live_streaming_sessions ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.live_streaming_sessions_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.nodes (
    name text NOT NULL,
    api_url text NOT NULL,
    rtmp_url text NOT NULL,
    hls_url text NOT NULL,
    webrtc_url text NOT NULL,
    srt_url text NOT NULL,
    rtsp_url text NOT NULL,
    region text DEFAULT ''::text NOT NULL,
    sandbox boolean DEFAULT false NOT NULL,
    draining boolean DEFAULT false NOT NULL,
    silent_since timestamp with time zone,
    lost boolean DEFAULT false NOT NULL,
    started text DEFAULT ''::text NOT NULL,
    owner text,
    lease_until timestamp with time zone,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT nodes_name_check CHECK ((name ~ '^[a-z0-9][a-z0-9-]{0,31}$'::text))
);
CREATE TABLE public.payout_methods (
    id integer NOT NULL,
    user_id integer NOT NULL,
    type text NOT NULL,
    value text NOT NULL,
    chosen_at timestamp with time zone DEFAULT now() NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);
ALTER TABLE public.payout_methods ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.payout_methods_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.publish_grants (
    node text NOT NULL,
    source_id text NOT NULL,
    path text NOT NULL,
    key_id integer,
    granted_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    ended_at timestamp with time zone
);
CREATE TABLE public.purchases (
    id integer NOT NULL,
    user_id integer NOT NULL,
    store text NOT NULL,
    environment text NOT NULL,
    transaction_id text NOT NULL,
    product_id text NOT NULL,
    package_id integer NOT NULL,
    quantity integer NOT NULL,
    coins bigint NOT NULL,
    price_minor bigint NOT NULL,
    currency text NOT NULL,
    title text NOT NULL,
    device text NOT NULL,
    status text DEFAULT 'credited'::text NOT NULL,
    transfer_id bigint NOT NULL,
    refund_transfer_id bigint,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT purchases_check CHECK (((store = 'test'::text) = (environment = 'test'::text))),
    CONSTRAINT purchases_coins_check CHECK ((coins > 0)),
    CONSTRAINT purchases_currency_check CHECK ((currency ~ '^[A-Z]{3}$'::text)),
    CONSTRAINT purchases_environment_check CHECK ((environment = ANY (ARRAY['production'::text, 'sandbox'::text, 'test'::text]))),
    CONSTRAINT purchases_quantity_check CHECK ((quantity > 0)),
    CONSTRAINT purchases_status_check CHECK ((status = ANY (ARRAY['credited'::text, 'refunded'::text]))),
    CONSTRAINT purchases_store_check CHECK ((store = ANY (ARRAY['apple'::text, 'google'::text, 'test'::text])))
);
ALTER TABLE public.purchases ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.purchases_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.report_reasons (
    id integer NOT NULL,
    title text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);
ALTER TABLE public.report_reasons ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.report_reasons_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.reports (
    id integer NOT NULL,
    user_id integer NOT NULL,
    report_user_id integer NOT NULL,
    report_reason_id integer NOT NULL,
    description text DEFAULT ''::text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);
ALTER TABLE public.reports ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.reports_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.schema_migrations (
    name text NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE public.stream_keys (
    id integer NOT NULL,
    user_id integer NOT NULL,
    session_id integer,
    channel_id integer,
    name text DEFAULT ''::text NOT NULL,
    hash bytea NOT NULL,
    hint text NOT NULL,
    expires_at timestamp with time zone,
    first_published_at timestamp with time zone,
    last_published_at timestamp with time zone,
    superseded_at timestamp with time zone,
    revoked_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT key_of_one CHECK (((session_id IS NULL) <> (channel_id IS NULL))),
    CONSTRAINT stream_keys_hash_check CHECK ((octet_length(hash) = 32))
);
ALTER TABLE public.stream_keys ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.stream_keys_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.user_counts (
    user_id integer NOT NULL,
    followers integer DEFAULT 0 NOT NULL,
    following integer DEFAULT 0 NOT NULL,
    likes integer DEFAULT 0 NOT NULL,
    videos integer DEFAULT 0 NOT NULL,
    CONSTRAINT user_counts_followers_check CHECK ((followers >= 0)),
    CONSTRAINT user_counts_following_check CHECK ((following >= 0)),
    CONSTRAINT user_counts_likes_check CHECK ((likes >= 0)),
    CONSTRAINT user_counts_videos_check CHECK ((videos >= 0))
);
CREATE TABLE public.users (
    id integer NOT NULL,
    username text DEFAULT ''::text NOT NULL,
    first_name text DEFAULT ''::text NOT NULL,
    last_name text DEFAULT ''::text NOT NULL,
    email text DEFAULT ''::text NOT NULL,
    phone text DEFAULT ''::text NOT NULL,
    bio text DEFAULT ''::text NOT NULL,
    website text DEFAULT ''::text NOT NULL,
    gender text DEFAULT ''::text NOT NULL,
    dob text DEFAULT ''::text NOT NULL,
    profile_pic text DEFAULT ''::text NOT NULL,
    profile_gif text DEFAULT ''::text NOT NULL,
    device_token text DEFAULT ''::text NOT NULL,
    private boolean DEFAULT false NOT NULL,
    verified boolean DEFAULT false NOT NULL,
    token_version integer DEFAULT 1 NOT NULL,
    banned_at timestamp with time zone,
    ban_reason text DEFAULT ''::text NOT NULL,
    deleted_at timestamp with time zone,
    seq bigint DEFAULT 0 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    profile_view boolean DEFAULT true NOT NULL,
    device text DEFAULT ''::text NOT NULL,
    version text DEFAULT ''::text NOT NULL
);
ALTER TABLE public.users ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.users_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.video_likes (
    id integer NOT NULL,
    video_id integer NOT NULL,
    user_id integer NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);
ALTER TABLE public.video_likes ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.video_likes_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.video_views (
    viewer text NOT NULL,
    video_id integer NOT NULL,
    first_at timestamp with time zone DEFAULT now() NOT NULL,
    last_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE public.videos (
    id integer NOT NULL,
    user_id integer NOT NULL,
    description text DEFAULT ''::text NOT NULL,
    video_url text NOT NULL,
    thumbnail_url text DEFAULT ''::text NOT NULL,
    duration double precision DEFAULT 0 NOT NULL,
    width integer DEFAULT 0 NOT NULL,
    height integer DEFAULT 0 NOT NULL,
    privacy_type text DEFAULT 'public'::text NOT NULL,
    allow_comments boolean DEFAULT true NOT NULL,
    allow_duet boolean DEFAULT true NOT NULL,
    view_count integer DEFAULT 0 NOT NULL,
    like_count integer DEFAULT 0 NOT NULL,
    comment_count integer DEFAULT 0 NOT NULL,
    favourite_count integer DEFAULT 0 NOT NULL,
    share_count integer DEFAULT 0 NOT NULL,
    deleted_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT videos_comment_count_check CHECK ((comment_count >= 0)),
    CONSTRAINT videos_duration_check CHECK ((duration >= (0)::double precision)),
    CONSTRAINT videos_favourite_count_check CHECK ((favourite_count >= 0)),
    CONSTRAINT videos_like_count_check CHECK ((like_count >= 0)),
    CONSTRAINT videos_privacy_type_check CHECK ((privacy_type = ANY (ARRAY['public'::text, 'friends'::text, 'private'::text]))),
    CONSTRAINT videos_share_count_check CHECK ((share_count >= 0)),
    CONSTRAINT videos_view_count_check CHECK ((view_count >= 0))
);
ALTER TABLE public.videos ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.videos_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.wallets (
    user_id integer NOT NULL,
    paid bigint DEFAULT 0 NOT NULL,
    bonus bigint DEFAULT 0 NOT NULL,
    earnings bigint DEFAULT 0 NOT NULL,
    hold bigint DEFAULT 0 NOT NULL,
    owed bigint DEFAULT 0 NOT NULL,
    received bigint DEFAULT 0 NOT NULL,
    CONSTRAINT wallets_bonus_check CHECK ((bonus >= 0)),
    CONSTRAINT wallets_earnings_check CHECK ((earnings >= 0)),
    CONSTRAINT wallets_hold_check CHECK ((hold >= 0)),
    CONSTRAINT wallets_owed_check CHECK ((owed <= 0)),
    CONSTRAINT wallets_paid_check CHECK ((paid >= 0)),
    CONSTRAINT wallets_received_check CHECK ((received >= 0))
);
CREATE TABLE public.withdraw_requests (
    id integer NOT NULL,
    user_id integer NOT NULL,
    coin bigint NOT NULL,
    amount_minor bigint NOT NULL,
    currency text NOT NULL,
    method text NOT NULL,
    destination text NOT NULL,
    status text DEFAULT 'pending'::text NOT NULL,
    note text DEFAULT ''::text NOT NULL,
    hold_transfer_id bigint NOT NULL,
    decision_transfer_id bigint,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT withdraw_requests_amount_minor_check CHECK ((amount_minor > 0)),
    CONSTRAINT withdraw_requests_check CHECK (((status = 'pending'::text) = (decision_transfer_id IS NULL))),
    CONSTRAINT withdraw_requests_coin_check CHECK ((coin > 0)),
    CONSTRAINT withdraw_requests_currency_check CHECK ((currency ~ '^[A-Z]{3}$'::text)),
    CONSTRAINT withdraw_requests_status_check CHECK ((status = ANY (ARRAY['pending'::text, 'paid'::text, 'rejected'::text])))
);
ALTER TABLE public.withdraw_requests ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.withdraw_requests_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
INSERT INTO public.blocks OVERRIDING SYSTEM VALUE VALUES (1, 4, 8, '2026-11-29 16:41:22.789505+00');
INSERT INTO public.channels OVERRIDING SYSTEM VALUE VALUES (1, 6, 'cats', 'live/cats', NULL, '2026-11-29 16:41:28.941809+00');
INSERT INTO public.coin_packages VALUES (1, 100, 100, 'USD', true);
INSERT INTO public.coin_packages VALUES (2, 500, 500, 'USD', true);
INSERT INTO public.coin_packages VALUES (3, 2000, 2000, 'USD', true);
INSERT INTO public.coin_packages VALUES (4, 5000, 5000, 'USD', true);
INSERT INTO public.coin_packages VALUES (5, 10000, 10000, 'USD', true);
INSERT INTO public.coin_products VALUES ('buy100coins', 1);
INSERT INTO public.coin_products VALUES ('buy500coins', 2);
INSERT INTO public.coin_products VALUES ('buy2000coins', 3);
INSERT INTO public.coin_products VALUES ('buy5000coins', 4);
INSERT INTO public.coin_products VALUES ('buy10000coins', 5);
INSERT INTO public.devices OVERRIDING SYSTEM VALUE VALUES (1, 'device-1', '2026-11-29 16:41:22.801342+00');
INSERT INTO public.events VALUES ('user', 8, 1, 'user.reported', '{"report_id": 1, "report_reason_id": 1}', '2026-11-29 16:41:22.793426+00');
INSERT INTO public.events VALUES ('user', 5, 1, 'coins.purchased', '{"coin": 2000, "store": "test", "purchase_id": 1}', '2026-11-29 16:41:22.824905+00');
INSERT INTO public.events VALUES ('user', 6, 1, 'coins.purchased', '{"coin": 500, "store": "test", "purchase_id": 2}', '2026-11-29 16:41:22.844781+00');
INSERT INTO public.events VALUES ('user', 7, 1, 'coins.purchased', '{"coin": 100, "store": "test", "purchase_id": 3}', '2026-11-29 16:41:22.852559+00');
INSERT INTO public.events VALUES ('user', 6, 2, 'coins.granted', '{"coin": 50, "reason": "a contest"}', '2026-11-29 16:41:23.572729+00');
INSERT INTO public.events VALUES ('session', 1, 1, 'live.created', '{"node": "local"}', '2026-11-29 16:41:23.77858+00');
INSERT INTO public.events VALUES ('session', 1, 2, 'live.started', '{"node": "local", "type": "rtmpConn"}', '2026-11-29 16:41:24.094857+00');
INSERT INTO public.events VALUES ('session', 1, 3, 'gift.sent', '{"id": 1, "coin": 1000, "count": 20, "title": "Heart", "sender": "bob", "gift_id": 2, "video_id": 0, "sender_id": 5, "receiver_id": 4}', '2026-11-29 16:41:24.173146+00');
INSERT INTO public.events VALUES ('session', 1, 4, 'gift.sent', '{"id": 2, "coin": 30, "count": 3, "title": "Rose", "sender": "cat", "gift_id": 1, "video_id": 0, "sender_id": 6, "receiver_id": 4}', '2026-11-29 16:41:24.182212+00');
INSERT INTO public.events VALUES ('session', 1, 5, 'live.announced', '{"user_id": 4, "followers": 2}', '2026-11-29 16:41:24.188389+00');
INSERT INTO public.events VALUES ('session', 1, 6, 'live.reconnecting', '{"until": "2026-11-29T16:42:24.204670+00:00"}', '2026-11-29 16:41:24.20467+00');
INSERT INTO public.events VALUES ('session', 1, 7, 'live.resumed', '{"node": "local", "type": "rtmpConn"}', '2026-11-29 16:41:24.530166+00');
INSERT INTO public.events VALUES ('session', 1, 8, 'live.ended', '{"reason": "completed"}', '2026-11-29 16:41:25.379403+00');
INSERT INTO public.events VALUES ('user', 4, 1, 'gift.sent', '{"id": 3, "coin": 10, "count": 1, "title": "Rose", "sender": "bob", "gift_id": 1, "video_id": 0, "sender_id": 5, "receiver_id": 4}', '2026-11-29 16:41:25.5858+00');
INSERT INTO public.events VALUES ('user', 4, 2, 'payout.requested', '{"coin": 300, "request_id": 1}', '2026-11-29 16:41:25.608777+00');
INSERT INTO public.events VALUES ('user', 4, 3, 'payout.paid', '{"coin": 300, "request_id": 1}', '2026-11-29 16:41:26.537381+00');
INSERT INTO public.events VALUES ('user', 4, 4, 'payout.requested', '{"coin": 200, "request_id": 2}', '2026-11-29 16:41:26.776333+00');
INSERT INTO public.events VALUES ('user', 4, 5, 'payout.rejected', '{"coin": 200, "request_id": 2}', '2026-11-29 16:41:27.611734+00');
INSERT INTO public.events VALUES ('user', 4, 6, 'payout.requested', '{"coin": 100, "request_id": 3}', '2026-11-29 16:41:27.835299+00');
INSERT INTO public.events VALUES ('user', 4, 7, 'gift.sent', '{"id": 4, "coin": 50, "count": 1, "title": "Heart", "sender": "dan", "gift_id": 2, "video_id": 0, "sender_id": 7, "receiver_id": 4}', '2026-11-29 16:41:27.841857+00');
INSERT INTO public.events VALUES ('user', 7, 2, 'coins.refunded', '{"coin": 100, "owed": 50, "purchase_id": 3}', '2026-11-29 16:41:28.701405+00');
INSERT INTO public.events VALUES ('session', 2, 1, 'live.started', '{"node": "local", "type": "rtmpConn", "channel": "cats"}', '2026-11-29 16:41:29.2085+00');
INSERT INTO public.events VALUES ('session', 3, 1, 'live.created', '{"node": "local"}', '2026-11-29 16:41:29.286276+00');
INSERT INTO public.events VALUES ('user', 8, 2, 'user.banned', '{"reason": "spam"}', '2026-11-29 16:41:30.350202+00');
INSERT INTO public.events VALUES ('user', 7, 3, 'user.deleted', '{}', '2026-11-29 16:41:30.773071+00');
INSERT INTO public.feeds VALUES ('device device-1', 'related', '2026-11-29 16:41:22.803594+00', 5);
INSERT INTO public.follows OVERRIDING SYSTEM VALUE VALUES (1, 5, 4, '2026-11-29 16:41:22.782137+00');
INSERT INTO public.follows OVERRIDING SYSTEM VALUE VALUES (2, 6, 4, '2026-11-29 16:41:22.786503+00');
INSERT INTO public.gift_transactions VALUES (1, 5, 2, 20, 1000, 5, 4, 1, NULL, '2026-11-29 16:41:24.173146+00');
INSERT INTO public.gift_transactions VALUES (2, 6, 1, 3, 30, 6, 4, 1, NULL, '2026-11-29 16:41:24.182212+00');
INSERT INTO public.gift_transactions VALUES (3, 7, 1, 1, 10, 5, 4, NULL, NULL, '2026-11-29 16:41:25.5858+00');
INSERT INTO public.gift_transactions VALUES (4, 13, 2, 1, 50, 7, 4, NULL, NULL, '2026-11-29 16:41:27.841857+00');
INSERT INTO public.gifts VALUES (1, 'Rose', 10, '/gifts/rose.png', '/gifts/rose.png', 'normal', false, 3, 'center', 1, true, '2026-11-29 16:41:18.261792+00');
INSERT INTO public.gifts VALUES (2, 'Heart', 50, '/gifts/heart.png', '/gifts/heart.png', 'normal', false, 3, 'center', 2, true, '2026-11-29 16:41:18.261792+00');
INSERT INTO public.gifts VALUES (3, 'Diamond', 1000, '/gifts/diamond.png', '/gifts/diamond.png', 'premium', false, 3, 'center', 3, true, '2026-11-29 16:41:18.261792+00');
INSERT INTO public.gifts VALUES (4, 'Universe', 5000, '/gifts/universe.png', '/gifts/universe.png', 'premium', false, 3, 'center', 4, true, '2026-11-29 16:41:18.261792+00');
INSERT INTO public.idempotency_keys VALUES (5, 'buy-bob', '\x0f0a5fd7753584c3191cc54db6b2838558ebdf377987d2ba6be3db0bbb90be30', 200, '{"wallet": 2000, "purchase_id": 1}', '2026-11-29 16:41:22.824905+00');
INSERT INTO public.idempotency_keys VALUES (6, 'buy-cat', '\xdc00ce7f0eeb13fb64108ea16229168425d759c0dca7062a9341c635ab75e708', 200, '{"wallet": 500, "purchase_id": 2}', '2026-11-29 16:41:22.844781+00');
INSERT INTO public.idempotency_keys VALUES (7, 'buy-dan', '\x8e087d2edcaf3cdfab5773f86fc7b5e2d7fd40898927666d756ba00c6d8e5306', 200, '{"wallet": 100, "purchase_id": 3}', '2026-11-29 16:41:22.852559+00');
INSERT INTO public.idempotency_keys VALUES (5, 'gift-1', '\x375d3f584667b54f0afba5c8c7d75185be488172e65ea66ce8909d89be729aee', 200, '{"id": 1, "coin": 1000, "count": 20, "wallet": 1000, "gift_id": 2, "video_id": 0, "sender_id": 5, "session_id": 1, "receiver_id": 4}', '2026-11-29 16:41:24.173146+00');
INSERT INTO public.identities VALUES ('demo', 'mia', 1, false, '2026-11-29 16:41:19.850465+00');
INSERT INTO public.identities VALUES ('demo', 'noah', 2, false, '2026-11-29 16:41:20.256483+00');
INSERT INTO public.identities VALUES ('demo', 'lina', 3, false, '2026-11-29 16:41:21.961634+00');
INSERT INTO public.identities VALUES ('google', 'ann', 4, false, '2026-11-29 16:41:22.731184+00');
INSERT INTO public.identities VALUES ('google', 'bob', 5, false, '2026-11-29 16:41:22.744981+00');
INSERT INTO public.identities VALUES ('google', 'cat', 6, false, '2026-11-29 16:41:22.748813+00');
INSERT INTO public.identities VALUES ('google', 'eve', 8, false, '2026-11-29 16:41:22.758034+00');
INSERT INTO public.identities VALUES ('google', 'fay', 9, false, '2026-11-29 16:41:22.763064+00');
INSERT INTO public.ledger_entries VALUES (1, 'clearing', NULL, -2000);
INSERT INTO public.ledger_entries VALUES (1, 'paid', 5, 2000);
INSERT INTO public.ledger_entries VALUES (2, 'clearing', NULL, -500);
INSERT INTO public.ledger_entries VALUES (2, 'paid', 6, 500);
INSERT INTO public.ledger_entries VALUES (3, 'clearing', NULL, -100);
INSERT INTO public.ledger_entries VALUES (3, 'paid', 7, 100);
INSERT INTO public.ledger_entries VALUES (4, 'clearing', NULL, -50);
INSERT INTO public.ledger_entries VALUES (4, 'bonus', 6, 50);
INSERT INTO public.ledger_entries VALUES (5, 'paid', 5, -1000);
INSERT INTO public.ledger_entries VALUES (5, 'share', NULL, 300);
INSERT INTO public.ledger_entries VALUES (5, 'earnings', 4, 700);
INSERT INTO public.ledger_entries VALUES (6, 'bonus', 6, -30);
INSERT INTO public.ledger_entries VALUES (6, 'share', NULL, 9);
INSERT INTO public.ledger_entries VALUES (6, 'earnings', 4, 21);
INSERT INTO public.ledger_entries VALUES (7, 'paid', 5, -10);
INSERT INTO public.ledger_entries VALUES (7, 'share', NULL, 3);
INSERT INTO public.ledger_entries VALUES (7, 'earnings', 4, 7);
INSERT INTO public.ledger_entries VALUES (8, 'earnings', 4, -300);
INSERT INTO public.ledger_entries VALUES (8, 'hold', 4, 300);
INSERT INTO public.ledger_entries VALUES (9, 'hold', 4, -300);
INSERT INTO public.ledger_entries VALUES (9, 'clearing', NULL, 300);
INSERT INTO public.ledger_entries VALUES (10, 'earnings', 4, -200);
INSERT INTO public.ledger_entries VALUES (10, 'hold', 4, 200);
INSERT INTO public.ledger_entries VALUES (11, 'hold', 4, -200);
INSERT INTO public.ledger_entries VALUES (11, 'earnings', 4, 200);
INSERT INTO public.ledger_entries VALUES (12, 'earnings', 4, -100);
INSERT INTO public.ledger_entries VALUES (12, 'hold', 4, 100);
INSERT INTO public.ledger_entries VALUES (13, 'paid', 7, -50);
INSERT INTO public.ledger_entries VALUES (13, 'share', NULL, 15);
INSERT INTO public.ledger_entries VALUES (13, 'earnings', 4, 35);
INSERT INTO public.ledger_entries VALUES (14, 'clearing', NULL, 100);
INSERT INTO public.ledger_entries VALUES (14, 'paid', 7, -50);
INSERT INTO public.ledger_entries VALUES (14, 'owed', 7, -50);
INSERT INTO public.ledger_transfers VALUES (1, 'purchase', '2026-11-29 16:41:22.824905+00');
INSERT INTO public.ledger_transfers VALUES (2, 'purchase', '2026-11-29 16:41:22.844781+00');
INSERT INTO public.ledger_transfers VALUES (3, 'purchase', '2026-11-29 16:41:22.852559+00');
INSERT INTO public.ledger_transfers VALUES (4, 'grant', '2026-11-29 16:41:23.572729+00');
INSERT INTO public.ledger_transfers VALUES (5, 'gift', '2026-11-29 16:41:24.173146+00');
INSERT INTO public.ledger_transfers VALUES (6, 'gift', '2026-11-29 16:41:24.182212+00');
INSERT INTO public.ledger_transfers VALUES (7, 'gift', '2026-11-29 16:41:25.5858+00');
INSERT INTO public.ledger_transfers VALUES (8, 'payout_requested', '2026-11-29 16:41:25.608777+00');
INSERT INTO public.ledger_transfers VALUES (9, 'payout_paid', '2026-11-29 16:41:26.537381+00');
INSERT INTO public.ledger_transfers VALUES (10, 'payout_requested', '2026-11-29 16:41:26.776333+00');
INSERT INTO public.ledger_transfers VALUES (11, 'payout_rejected', '2026-11-29 16:41:27.611734+00');
INSERT INTO public.ledger_transfers VALUES (12, 'payout_requested', '2026-11-29 16:41:27.835299+00');
INSERT INTO public.ledger_transfers VALUES (13, 'gift', '2026-11-29 16:41:27.841857+00');
INSERT INTO public.ledger_transfers VALUES (14, 'refund', '2026-11-29 16:41:28.701405+00');
INSERT INTO public.live_streaming_sessions VALUES (1, 4, NULL, 'live/1', 'local', 'ended', 'First', '', '', '2026-11-29 16:41:23.77858+00', '2026-11-29 17:41:23.77858+00', '2026-11-29 16:41:24.094857+00', 60, NULL, '12:00:00', NULL, NULL, NULL, '2026-11-29 16:41:25.379403+00', 'completed', 0, 8);
INSERT INTO public.live_streaming_sessions VALUES (2, 6, 1, 'live/cats', 'local', 'live', '', '', '', '2026-11-29 16:41:29.2085+00', NULL, '2026-11-29 16:41:29.2085+00', 60, NULL, '12:00:00', 'rtmpConn', '462725d8-7efe-452d-bbe8-f2d60c977d90', 2, NULL, NULL, 0, 1);
INSERT INTO public.live_streaming_sessions VALUES (3, 9, NULL, 'live/3', 'local', 'created', 'Soon', '', '', '2026-11-29 16:41:29.286276+00', '2026-11-29 17:41:29.286276+00', NULL, 60, NULL, '12:00:00', NULL, NULL, NULL, NULL, NULL, 0, 1);
INSERT INTO public.nodes VALUES ('local', 'http://127.0.0.1:10352', 'rtmp://{host}:19628', 'http://{host}:22461', 'http://{host}:16174', 'srt://{host}:29579', 'rtsp://{host}:12067', '', true, false, NULL, false, '2026-11-29T16:41:17.393223Z', '24781-e83f50b1', '2026-11-29 16:41:40.527077+00', '2026-11-29 16:41:18.329847+00');
INSERT INTO public.payout_methods VALUES (1, 4, 'paypal', 'ann@example.com', '2026-11-29 16:41:27.828265+00', '2026-11-29 16:41:27.828265+00');
INSERT INTO public.publish_grants VALUES ('local', '9bd02541-531c-49ac-b6cd-38839c90de49', 'live/1', 1, '2026-11-29 16:41:24.009235+00', '2026-11-29 16:41:24.20467+00');
INSERT INTO public.publish_grants VALUES ('local', 'd96e5ea5-864f-4b97-98f8-b85c434943db', 'live/1', 1, '2026-11-29 16:41:24.45061+00', '2026-11-29 16:41:25.402056+00');
INSERT INTO public.publish_grants VALUES ('local', '462725d8-7efe-452d-bbe8-f2d60c977d90', 'live/cats', 2, '2026-11-29 16:41:29.120982+00', NULL);
INSERT INTO public.purchases VALUES (1, 5, 'test', 'test', 'of.bob', '', 3, 1, 2000, 2000, 'USD', '2000 coins', 'android', 'credited', 1, NULL, '2026-11-29 16:41:22.824905+00', '2026-11-29 16:41:22.824905+00');
INSERT INTO public.purchases VALUES (2, 6, 'test', 'test', 'of.cat', '', 2, 1, 500, 500, 'USD', '500 coins', 'android', 'credited', 2, NULL, '2026-11-29 16:41:22.844781+00', '2026-11-29 16:41:22.844781+00');
INSERT INTO public.purchases VALUES (3, 7, 'test', 'test', 'of.dan', '', 1, 1, 100, 100, 'USD', '100 coins', 'android', 'refunded', 3, 14, '2026-11-29 16:41:22.852559+00', '2026-11-29 16:41:28.701405+00');
INSERT INTO public.report_reasons OVERRIDING SYSTEM VALUE VALUES (1, 'Spam or misleading', '2026-11-29 16:41:18.281415+00');
INSERT INTO public.report_reasons OVERRIDING SYSTEM VALUE VALUES (2, 'Hate or harassment', '2026-11-29 16:41:18.281415+00');
INSERT INTO public.report_reasons OVERRIDING SYSTEM VALUE VALUES (3, 'Violence or threats', '2026-11-29 16:41:18.281415+00');
INSERT INTO public.report_reasons OVERRIDING SYSTEM VALUE VALUES (4, 'Nudity or sexual content', '2026-11-29 16:41:18.281415+00');
INSERT INTO public.report_reasons OVERRIDING SYSTEM VALUE VALUES (5, 'Child safety', '2026-11-29 16:41:18.281415+00');
INSERT INTO public.report_reasons OVERRIDING SYSTEM VALUE VALUES (6, 'Self-harm', '2026-11-29 16:41:18.281415+00');
INSERT INTO public.report_reasons OVERRIDING SYSTEM VALUE VALUES (7, 'Illegal goods or activities', '2026-11-29 16:41:18.281415+00');
INSERT INTO public.report_reasons OVERRIDING SYSTEM VALUE VALUES (8, 'Pretending to be somebody else', '2026-11-29 16:41:18.281415+00');
INSERT INTO public.report_reasons OVERRIDING SYSTEM VALUE VALUES (9, 'Something else', '2026-11-29 16:41:18.281415+00');
INSERT INTO public.reports OVERRIDING SYSTEM VALUE VALUES (1, 5, 8, 1, 'spam', '2026-11-29 16:41:22.793426+00');
INSERT INTO public.schema_migrations VALUES ('0001_core.sql', '2026-11-29 16:41:18.246531+00');
INSERT INTO public.schema_migrations VALUES ('0002_money.sql', '2026-11-29 16:41:18.261792+00');
INSERT INTO public.schema_migrations VALUES ('0003_app.sql', '2026-11-29 16:41:18.281415+00');
INSERT INTO public.stream_keys OVERRIDING SYSTEM VALUE VALUES (1, 4, 1, NULL, '', '\xf457551140b339eb13a58a7d6c98a3789347de191110e59389133b7ad33aee49', '4r2c', '2026-11-29 17:41:23.77858+00', '2026-11-29 16:41:24.094857+00', '2026-11-29 16:41:24.530166+00', NULL, NULL, '2026-11-29 16:41:23.77858+00');
INSERT INTO public.stream_keys OVERRIDING SYSTEM VALUE VALUES (3, 6, NULL, 1, 'old', '\x47ba9d73b1ab29774c5b7622b15bea071d382f749e2566501546166f5a701981', 'vKeM', NULL, NULL, NULL, NULL, '2026-11-29 16:41:28.966652+00', '2026-11-29 16:41:28.951931+00');
INSERT INTO public.stream_keys OVERRIDING SYSTEM VALUE VALUES (2, 6, NULL, 1, 'OBS', '\xc0fc66d8919c62669d969dfef2c48a77c43c04cf5bc5fb1ba2018107e7bfc505', 'UVwk', NULL, '2026-11-29 16:41:29.2085+00', '2026-11-29 16:41:29.2085+00', NULL, NULL, '2026-11-29 16:41:28.94598+00');
INSERT INTO public.stream_keys OVERRIDING SYSTEM VALUE VALUES (4, 9, 3, NULL, '', '\xff9fcce8a1eae55690f02a4cfd4623e5e78f8d6b76637308850b86fcd035c9e1', 'vI_o', '2026-11-29 17:41:29.286276+00', NULL, NULL, NULL, NULL, '2026-11-29 16:41:29.286276+00');
INSERT INTO public.user_counts VALUES (1, 0, 0, 0, 2);
INSERT INTO public.user_counts VALUES (3, 0, 0, 0, 1);
INSERT INTO public.user_counts VALUES (5, 0, 1, 0, 0);
INSERT INTO public.user_counts VALUES (4, 2, 0, 0, 0);
INSERT INTO public.user_counts VALUES (6, 0, 1, 0, 0);
INSERT INTO public.user_counts VALUES (2, 0, 0, 1, 2);
INSERT INTO public.users OVERRIDING SYSTEM VALUE VALUES (1, 'demo_mia', 'Mia', '', '', '', '', '', '', '', '', '', '', false, false, 1, NULL, '', NULL, 0, '2026-11-29 16:41:19.850465+00', true, '', '');
INSERT INTO public.users OVERRIDING SYSTEM VALUE VALUES (2, 'demo_noah', 'Noah', '', '', '', '', '', '', '', '', '', '', false, false, 1, NULL, '', NULL, 0, '2026-11-29 16:41:20.256483+00', true, '', '');
INSERT INTO public.users OVERRIDING SYSTEM VALUE VALUES (3, 'demo_lina', 'Lina', '', '', '', '', '', '', '', '', '', '', false, false, 1, NULL, '', NULL, 0, '2026-11-29 16:41:21.961634+00', true, '', '');
INSERT INTO public.users OVERRIDING SYSTEM VALUE VALUES (9, 'fay', '', '', '', '', '', '', '', '', '', '', '', false, false, 1, NULL, '', NULL, 0, '2026-11-29 16:41:22.763064+00', true, '', '');
INSERT INTO public.users OVERRIDING SYSTEM VALUE VALUES (5, 'bob', '', '', '', '', '', '', '', '', '', '', '', false, false, 1, NULL, '', NULL, 1, '2026-11-29 16:41:22.744981+00', true, '', '');
INSERT INTO public.users OVERRIDING SYSTEM VALUE VALUES (6, 'cat', '', '', '', '', '', '', '', '', '', '', '', false, false, 1, NULL, '', NULL, 2, '2026-11-29 16:41:22.748813+00', true, '', '');
INSERT INTO public.users OVERRIDING SYSTEM VALUE VALUES (4, 'ann', 'Ann', '', '', '', 'Ötzi & I
\ "quoted"', '', '', '', '', '', '', false, false, 1, NULL, '', NULL, 7, '2026-11-29 16:41:22.731184+00', true, '', '');
INSERT INTO public.users OVERRIDING SYSTEM VALUE VALUES (8, 'eve', '', '', '', '', '', '', '', '', '', '', '', false, false, 1, '2026-11-29 16:41:30.350202+00', 'spam', NULL, 2, '2026-11-29 16:41:22.758034+00', true, '', '');
INSERT INTO public.users OVERRIDING SYSTEM VALUE VALUES (7, '', '', '', '', '', '', '', '', '', '', '', '', true, false, 2, NULL, '', '2026-11-29 16:41:30.773071+00', 3, '2026-11-29 16:41:22.752986+00', true, '', '');
INSERT INTO public.video_likes OVERRIDING SYSTEM VALUE VALUES (1, 5, 5, '2026-11-29 16:41:22.810081+00');
INSERT INTO public.video_views VALUES ('device device-1', 5, '2026-11-29 16:41:22.816445+00', '2026-11-29 16:41:22.816445+00');
INSERT INTO public.video_views VALUES ('user 5', 5, '2026-11-29 16:41:22.81907+00', '2026-11-29 16:41:22.81907+00');
INSERT INTO public.videos OVERRIDING SYSTEM VALUE VALUES (1, 1, 'Good morning #colours', '/media/demo-1.mp4', '/media/demo-1.jpg', 5, 360, 640, 'public', true, true, 0, 0, 0, 0, 0, NULL, '2026-11-29 16:41:19.856535+00');
INSERT INTO public.videos OVERRIDING SYSTEM VALUE VALUES (2, 2, 'Rings on water', '/media/demo-2.mp4', '/media/demo-2.jpg', 5, 360, 640, 'public', true, true, 0, 0, 0, 0, 0, NULL, '2026-11-29 16:41:20.25866+00');
INSERT INTO public.videos OVERRIDING SYSTEM VALUE VALUES (3, 1, 'Slow sunset', '/media/demo-3.mp4', '/media/demo-3.jpg', 5, 360, 640, 'public', true, true, 0, 0, 0, 0, 0, NULL, '2026-11-29 16:41:20.933441+00');
INSERT INTO public.videos OVERRIDING SYSTEM VALUE VALUES (4, 3, 'Zoom in #fractal', '/media/demo-4.mp4', '/media/demo-4.jpg', 5, 360, 640, 'public', true, true, 0, 0, 0, 0, 0, NULL, '2026-11-29 16:41:21.963638+00');
INSERT INTO public.videos OVERRIDING SYSTEM VALUE VALUES (5, 2, 'Triangles', '/media/demo-5.mp4', '/media/demo-5.jpg', 5, 360, 640, 'public', true, true, 2, 1, 0, 0, 0, NULL, '2026-11-29 16:41:22.541952+00');
INSERT INTO public.wallets VALUES (1, 0, 0, 0, 0, 0, 0);
INSERT INTO public.wallets VALUES (2, 0, 0, 0, 0, 0, 0);
INSERT INTO public.wallets VALUES (3, 0, 0, 0, 0, 0, 0);
INSERT INTO public.wallets VALUES (8, 0, 0, 0, 0, 0, 0);
INSERT INTO public.wallets VALUES (9, 0, 0, 0, 0, 0, 0);
INSERT INTO public.wallets VALUES (6, 500, 20, 0, 0, 0, 0);
INSERT INTO public.wallets VALUES (5, 990, 0, 0, 0, 0, 0);
INSERT INTO public.wallets VALUES (4, 0, 0, 363, 100, 0, 763);
INSERT INTO public.wallets VALUES (7, 0, 0, 0, 0, -50, 0);
INSERT INTO public.withdraw_requests VALUES (1, 4, 300, 300, 'USD', 'paypal', 'ann@example.com', 'paid', 'ref 1', 8, 9, '2026-11-29 16:41:25.608777+00', '2026-11-29 16:41:26.537381+00');
INSERT INTO public.withdraw_requests VALUES (2, 4, 200, 200, 'USD', 'paypal', 'ann@example.com', 'rejected', 'no', 10, 11, '2026-11-29 16:41:26.776333+00', '2026-11-29 16:41:27.611734+00');
INSERT INTO public.withdraw_requests VALUES (3, 4, 100, 100, 'USD', 'paypal', 'ann@example.com', 'pending', '', 12, NULL, '2026-11-29 16:41:27.835299+00', '2026-11-29 16:41:27.835299+00');
SELECT pg_catalog.setval('public.blocks_id_seq', 1, true);
SELECT pg_catalog.setval('public.channels_id_seq', 1, true);
SELECT pg_catalog.setval('public.coin_packages_id_seq', 5, true);
SELECT pg_catalog.setval('public.devices_id_seq', 1, true);
SELECT pg_catalog.setval('public.follows_id_seq', 2, true);
SELECT pg_catalog.setval('public.gift_transactions_id_seq', 4, true);
SELECT pg_catalog.setval('public.gifts_id_seq', 4, true);
SELECT pg_catalog.setval('public.ledger_transfers_id_seq', 14, true);
SELECT pg_catalog.setval('public.live_streaming_sessions_id_seq', 3, true);
SELECT pg_catalog.setval('public.payout_methods_id_seq', 1, true);
SELECT pg_catalog.setval('public.purchases_id_seq', 3, true);
SELECT pg_catalog.setval('public.report_reasons_id_seq', 9, true);
SELECT pg_catalog.setval('public.reports_id_seq', 1, true);
SELECT pg_catalog.setval('public.stream_keys_id_seq', 4, true);
SELECT pg_catalog.setval('public.users_id_seq', 9, true);
SELECT pg_catalog.setval('public.video_likes_id_seq', 1, true);
SELECT pg_catalog.setval('public.videos_id_seq', 5, true);
SELECT pg_catalog.setval('public.withdraw_requests_id_seq', 3, true);
ALTER TABLE ONLY public.blocks
    ADD CONSTRAINT blocks_id_key UNIQUE (id);
ALTER TABLE ONLY public.blocks
    ADD CONSTRAINT blocks_pkey PRIMARY KEY (user_id, block_user_id);
ALTER TABLE ONLY public.channels
    ADD CONSTRAINT channels_name_key UNIQUE (name);
ALTER TABLE ONLY public.channels
    ADD CONSTRAINT channels_path_key UNIQUE (path);
ALTER TABLE ONLY public.channels
    ADD CONSTRAINT channels_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.channels
    ADD CONSTRAINT channels_user_id_key UNIQUE (user_id);
ALTER TABLE ONLY public.coin_packages
    ADD CONSTRAINT coin_packages_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.coin_products
    ADD CONSTRAINT coin_products_pkey PRIMARY KEY (product_id);
ALTER TABLE ONLY public.devices
    ADD CONSTRAINT devices_key_key UNIQUE (key);
ALTER TABLE ONLY public.devices
    ADD CONSTRAINT devices_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.early_refunds
    ADD CONSTRAINT early_refunds_pkey PRIMARY KEY (store, transaction_id);
ALTER TABLE ONLY public.events
    ADD CONSTRAINT events_pkey PRIMARY KEY (subject, subject_id, seq);
ALTER TABLE ONLY public.feeds
    ADD CONSTRAINT feeds_pkey PRIMARY KEY (viewer, kind);
ALTER TABLE ONLY public.follows
    ADD CONSTRAINT follows_id_key UNIQUE (id);
ALTER TABLE ONLY public.follows
    ADD CONSTRAINT follows_pkey PRIMARY KEY (follower_id, followed_id);
ALTER TABLE ONLY public.gift_transactions
    ADD CONSTRAINT gift_transactions_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.gift_transactions
    ADD CONSTRAINT gift_transactions_transfer_id_key UNIQUE (transfer_id);
ALTER TABLE ONLY public.gifts
    ADD CONSTRAINT gifts_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.idempotency_keys
    ADD CONSTRAINT idempotency_keys_pkey PRIMARY KEY (user_id, key);
ALTER TABLE ONLY public.identities
    ADD CONSTRAINT identities_pkey PRIMARY KEY (provider, subject);
ALTER TABLE ONLY public.ledger_transfers
    ADD CONSTRAINT ledger_transfers_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.live_streaming_sessions
    ADD CONSTRAINT live_streaming_sessions_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.nodes
    ADD CONSTRAINT nodes_pkey PRIMARY KEY (name);
ALTER TABLE ONLY public.payout_methods
    ADD CONSTRAINT payout_methods_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.payout_methods
    ADD CONSTRAINT payout_methods_user_id_type_key UNIQUE (user_id, type);
ALTER TABLE ONLY public.publish_grants
    ADD CONSTRAINT publish_grants_pkey PRIMARY KEY (node, source_id);
ALTER TABLE ONLY public.purchases
    ADD CONSTRAINT purchases_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.purchases
    ADD CONSTRAINT purchases_refund_transfer_id_key UNIQUE (refund_transfer_id);
ALTER TABLE ONLY public.purchases
    ADD CONSTRAINT purchases_store_environment_transaction_id_key UNIQUE (store, environment, transaction_id);
ALTER TABLE ONLY public.purchases
    ADD CONSTRAINT purchases_transfer_id_key UNIQUE (transfer_id);
ALTER TABLE ONLY public.report_reasons
    ADD CONSTRAINT report_reasons_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.report_reasons
    ADD CONSTRAINT report_reasons_title_key UNIQUE (title);
ALTER TABLE ONLY public.reports
    ADD CONSTRAINT reports_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.reports
    ADD CONSTRAINT reports_user_id_report_user_id_report_reason_id_key UNIQUE (user_id, report_user_id, report_reason_id);
ALTER TABLE ONLY public.schema_migrations
    ADD CONSTRAINT schema_migrations_pkey PRIMARY KEY (name);
ALTER TABLE ONLY public.stream_keys
    ADD CONSTRAINT stream_keys_hash_key UNIQUE (hash);
ALTER TABLE ONLY public.stream_keys
    ADD CONSTRAINT stream_keys_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.user_counts
    ADD CONSTRAINT user_counts_pkey PRIMARY KEY (user_id);
ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.video_likes
    ADD CONSTRAINT video_likes_id_key UNIQUE (id);
ALTER TABLE ONLY public.video_likes
    ADD CONSTRAINT video_likes_pkey PRIMARY KEY (video_id, user_id);
ALTER TABLE ONLY public.video_views
    ADD CONSTRAINT video_views_pkey PRIMARY KEY (viewer, video_id);
ALTER TABLE ONLY public.videos
    ADD CONSTRAINT videos_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.wallets
    ADD CONSTRAINT wallets_pkey PRIMARY KEY (user_id);
ALTER TABLE ONLY public.withdraw_requests
    ADD CONSTRAINT withdraw_requests_decision_transfer_id_key UNIQUE (decision_transfer_id);
ALTER TABLE ONLY public.withdraw_requests
    ADD CONSTRAINT withdraw_requests_hold_transfer_id_key UNIQUE (hold_transfer_id);
ALTER TABLE ONLY public.withdraw_requests
    ADD CONSTRAINT withdraw_requests_pkey PRIMARY KEY (id);
CREATE INDEX blocks_of_me ON public.blocks USING btree (block_user_id);
CREATE UNIQUE INDEX entries_of_user ON public.ledger_entries USING btree (user_id, transfer_id, account) NULLS NOT DISTINCT;
CREATE INDEX follows_followers ON public.follows USING btree (followed_id, id DESC);
CREATE INDEX follows_following ON public.follows USING btree (follower_id, id DESC);
CREATE INDEX gifts_by_time ON public.gift_transactions USING brin (created_at);
CREATE INDEX gifts_received ON public.gift_transactions USING btree (receiver_id, id DESC);
CREATE INDEX gifts_sent ON public.gift_transactions USING btree (sender_id, id DESC);
CREATE INDEX grants_by_age ON public.publish_grants USING btree (granted_at);
CREATE INDEX identities_user ON public.identities USING btree (user_id);
CREATE INDEX keys_of_channel ON public.stream_keys USING btree (channel_id);
CREATE INDEX keys_of_session ON public.stream_keys USING btree (session_id);
CREATE INDEX likes_of_user ON public.video_likes USING btree (user_id, id DESC);
CREATE INDEX live_sessions ON public.live_streaming_sessions USING btree (started_at DESC, id DESC) WHERE (status = ANY (ARRAY['live'::text, 'reconnecting'::text]));
CREATE UNIQUE INDEX one_open_session_per_path ON public.live_streaming_sessions USING btree (path) WHERE (status = ANY (ARRAY['created'::text, 'live'::text, 'reconnecting'::text]));
CREATE UNIQUE INDEX one_open_session_per_user ON public.live_streaming_sessions USING btree (user_id) WHERE (status = ANY (ARRAY['created'::text, 'live'::text, 'reconnecting'::text]));
CREATE UNIQUE INDEX one_pending_request_per_user ON public.withdraw_requests USING btree (user_id) WHERE (status = 'pending'::text);
CREATE INDEX open_sessions_by_node ON public.live_streaming_sessions USING btree (node) WHERE (status = ANY (ARRAY['created'::text, 'live'::text, 'reconnecting'::text]));
CREATE INDEX pending_requests ON public.withdraw_requests USING btree (id) WHERE (status = 'pending'::text);
CREATE INDEX purchases_of_user ON public.purchases USING btree (user_id, id DESC);
CREATE INDEX reports_about ON public.reports USING btree (report_user_id, id DESC);
CREATE INDEX requests_of_user ON public.withdraw_requests USING btree (user_id, id DESC);
CREATE INDEX sessions_by_path ON public.live_streaming_sessions USING btree (path, id DESC);
CREATE INDEX sessions_by_user ON public.live_streaming_sessions USING btree (user_id, id DESC);
CREATE INDEX users_email ON public.users USING btree (lower(email)) WHERE (email <> ''::text);
CREATE INDEX users_name_prefix ON public.users USING btree (lower(((first_name || ' '::text) || last_name)) text_pattern_ops) WHERE (deleted_at IS NULL);
CREATE INDEX users_phone ON public.users USING btree (phone) WHERE (phone <> ''::text);
CREATE UNIQUE INDEX users_username ON public.users USING btree (lower(username)) WHERE (username <> ''::text);
CREATE INDEX users_username_prefix ON public.users USING btree (lower(username) text_pattern_ops) WHERE (deleted_at IS NULL);
CREATE INDEX videos_of_user ON public.videos USING btree (user_id, id DESC) WHERE (deleted_at IS NULL);
CREATE INDEX videos_public ON public.videos USING btree (id DESC) WHERE ((deleted_at IS NULL) AND (privacy_type = 'public'::text));
CREATE UNIQUE INDEX videos_url ON public.videos USING btree (video_url);
CREATE OR REPLACE VIEW public.coin_transactions AS
 SELECT t.id AS transfer_id,
    e.user_id,
    t.kind,
    (sum(e.amount))::bigint AS coin,
    t.created_at
   FROM (public.ledger_entries e
     JOIN public.ledger_transfers t ON ((t.id = e.transfer_id)))
  WHERE (e.account = ANY (ARRAY['paid'::text, 'bonus'::text, 'earnings'::text]))
  GROUP BY t.id, e.user_id;
CREATE TRIGGER channel_notice AFTER INSERT OR UPDATE ON public.channels FOR EACH ROW EXECUTE FUNCTION public.notice_channel();
CREATE TRIGGER entries_make_balances AFTER INSERT ON public.ledger_entries REFERENCING NEW TABLE AS entered FOR EACH STATEMENT EXECUTE FUNCTION public.apply_entries();
CREATE TRIGGER entries_stay BEFORE DELETE OR UPDATE OR TRUNCATE ON public.ledger_entries FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER gift_transactions_stay BEFORE DELETE OR UPDATE OR TRUNCATE ON public.gift_transactions FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER key_notice AFTER INSERT OR UPDATE ON public.stream_keys FOR EACH ROW EXECUTE FUNCTION public.notice_key();
CREATE TRIGGER node_notice AFTER INSERT OR DELETE ON public.nodes FOR EACH STATEMENT EXECUTE FUNCTION public.notice_node();
CREATE TRIGGER session_change BEFORE UPDATE OF status ON public.live_streaming_sessions FOR EACH ROW EXECUTE FUNCTION public.check_session_change();
CREATE TRIGGER session_notice_insert AFTER INSERT ON public.live_streaming_sessions FOR EACH ROW EXECUTE FUNCTION public.notice_session();
CREATE TRIGGER session_notice_update AFTER UPDATE ON public.live_streaming_sessions FOR EACH ROW WHEN ((old.status IS DISTINCT FROM new.status)) EXECUTE FUNCTION public.notice_session();
CREATE TRIGGER transfers_stay BEFORE DELETE OR UPDATE OR TRUNCATE ON public.ledger_transfers FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER user_notice AFTER UPDATE ON public.users FOR EACH ROW WHEN (((old.banned_at IS DISTINCT FROM new.banned_at) OR (old.deleted_at IS DISTINCT FROM new.deleted_at))) EXECUTE FUNCTION public.notice_user();
CREATE TRIGGER user_wallet AFTER INSERT ON public.users FOR EACH ROW EXECUTE FUNCTION public.open_wallet();
CREATE TRIGGER wallets_follow_entries BEFORE INSERT OR UPDATE ON public.wallets FOR EACH ROW WHEN ((pg_trigger_depth() = 0)) EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER wallets_stay BEFORE DELETE OR TRUNCATE ON public.wallets FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
ALTER TABLE ONLY public.blocks
    ADD CONSTRAINT blocks_block_user_id_fkey FOREIGN KEY (block_user_id) REFERENCES public.users(id);
ALTER TABLE ONLY public.blocks
    ADD CONSTRAINT blocks_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id);
ALTER TABLE ONLY public.channels
    ADD CONSTRAINT channels_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id);
ALTER TABLE ONLY public.coin_products
    ADD CONSTRAINT coin_products_package_id_fkey FOREIGN KEY (package_id) REFERENCES public.coin_packages(id);
ALTER TABLE ONLY public.follows
    ADD CONSTRAINT follows_followed_id_fkey FOREIGN KEY (followed_id) REFERENCES public.users(id);
ALTER TABLE ONLY public.follows
    ADD CONSTRAINT follows_follower_id_fkey FOREIGN KEY (follower_id) REFERENCES public.users(id);
ALTER TABLE ONLY public.gift_transactions
    ADD CONSTRAINT gift_transactions_gift_id_fkey FOREIGN KEY (gift_id) REFERENCES public.gifts(id);
ALTER TABLE ONLY public.gift_transactions
    ADD CONSTRAINT gift_transactions_live_streaming_id_fkey FOREIGN KEY (live_streaming_id) REFERENCES public.live_streaming_sessions(id);
ALTER TABLE ONLY public.gift_transactions
    ADD CONSTRAINT gift_transactions_transfer_id_fkey FOREIGN KEY (transfer_id) REFERENCES public.ledger_transfers(id);
ALTER TABLE ONLY public.idempotency_keys
    ADD CONSTRAINT idempotency_keys_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id);
ALTER TABLE ONLY public.identities
    ADD CONSTRAINT identities_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id);
ALTER TABLE ONLY public.ledger_entries
    ADD CONSTRAINT ledger_entries_transfer_id_fkey FOREIGN KEY (transfer_id) REFERENCES public.ledger_transfers(id);
ALTER TABLE ONLY public.live_streaming_sessions
    ADD CONSTRAINT live_streaming_sessions_channel_id_fkey FOREIGN KEY (channel_id) REFERENCES public.channels(id);
ALTER TABLE ONLY public.live_streaming_sessions
    ADD CONSTRAINT live_streaming_sessions_node_fkey FOREIGN KEY (node) REFERENCES public.nodes(name);
ALTER TABLE ONLY public.live_streaming_sessions
    ADD CONSTRAINT live_streaming_sessions_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id);
ALTER TABLE ONLY public.payout_methods
    ADD CONSTRAINT payout_methods_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id);
ALTER TABLE ONLY public.purchases
    ADD CONSTRAINT purchases_package_id_fkey FOREIGN KEY (package_id) REFERENCES public.coin_packages(id);
ALTER TABLE ONLY public.purchases
    ADD CONSTRAINT purchases_refund_transfer_id_fkey FOREIGN KEY (refund_transfer_id) REFERENCES public.ledger_transfers(id);
ALTER TABLE ONLY public.purchases
    ADD CONSTRAINT purchases_transfer_id_fkey FOREIGN KEY (transfer_id) REFERENCES public.ledger_transfers(id);
ALTER TABLE ONLY public.purchases
    ADD CONSTRAINT purchases_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id);
ALTER TABLE ONLY public.reports
    ADD CONSTRAINT reports_report_reason_id_fkey FOREIGN KEY (report_reason_id) REFERENCES public.report_reasons(id);
ALTER TABLE ONLY public.reports
    ADD CONSTRAINT reports_report_user_id_fkey FOREIGN KEY (report_user_id) REFERENCES public.users(id);
ALTER TABLE ONLY public.reports
    ADD CONSTRAINT reports_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id);
ALTER TABLE ONLY public.stream_keys
    ADD CONSTRAINT stream_keys_channel_id_fkey FOREIGN KEY (channel_id) REFERENCES public.channels(id);
ALTER TABLE ONLY public.stream_keys
    ADD CONSTRAINT stream_keys_session_id_fkey FOREIGN KEY (session_id) REFERENCES public.live_streaming_sessions(id);
ALTER TABLE ONLY public.stream_keys
    ADD CONSTRAINT stream_keys_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id);
ALTER TABLE ONLY public.user_counts
    ADD CONSTRAINT user_counts_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id);
ALTER TABLE ONLY public.video_likes
    ADD CONSTRAINT video_likes_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id);
ALTER TABLE ONLY public.video_likes
    ADD CONSTRAINT video_likes_video_id_fkey FOREIGN KEY (video_id) REFERENCES public.videos(id);
ALTER TABLE ONLY public.video_views
    ADD CONSTRAINT video_views_video_id_fkey FOREIGN KEY (video_id) REFERENCES public.videos(id);
ALTER TABLE ONLY public.videos
    ADD CONSTRAINT videos_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id);
ALTER TABLE ONLY public.wallets
    ADD CONSTRAINT wallets_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id);
ALTER TABLE ONLY public.withdraw_requests
    ADD CONSTRAINT withdraw_requests_decision_transfer_id_fkey FOREIGN KEY (decision_transfer_id) REFERENCES public.ledger_transfers(id);
ALTER TABLE ONLY public.withdraw_requests
    ADD CONSTRAINT withdraw_requests_hold_transfer_id_fkey FOREIGN KEY (hold_transfer_id) REFERENCES public.ledger_transfers(id);
ALTER TABLE ONLY public.withdraw_requests
    ADD CONSTRAINT withdraw_requests_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id);
