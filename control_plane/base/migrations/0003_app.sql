-- What the apps need besides going live: who follows and blocks whom, videos, reports,
-- devices. Counters are columns, kept in the transaction of what they count.

ALTER TABLE users
    ADD COLUMN profile_view boolean NOT NULL DEFAULT true,
    ADD COLUMN device text NOT NULL DEFAULT '',
    ADD COLUMN version text NOT NULL DEFAULT '';

-- The search looks for beginnings.
CREATE INDEX users_username_prefix ON users (lower(username) text_pattern_ops)
    WHERE deleted_at IS NULL;
CREATE INDEX users_name_prefix
    ON users (lower(first_name || ' ' || last_name) text_pattern_ops)
    WHERE deleted_at IS NULL;

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

-- viewer: "user <id>" or, for a guest, "device <device_id>".
CREATE TABLE video_views (
    viewer text NOT NULL,
    video_id integer NOT NULL REFERENCES videos,
    first_at timestamptz NOT NULL DEFAULT now(),
    last_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (viewer, video_id)
);

-- When a viewer last opened a feed at its top, and the newest video then: the pages
-- that follow show what that one promised, whatever is watched or posted meanwhile.
CREATE TABLE feeds (
    viewer text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('related', 'following')),
    opened_at timestamptz NOT NULL,
    newest integer NOT NULL,
    PRIMARY KEY (viewer, kind)
);
