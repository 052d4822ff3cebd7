-- Users of a PostgreSQL whose passwords an interlay has been given, each sealed with the encryption key.
CREATE TABLE interlay_user (
    interlay text        NOT NULL REFERENCES interlay (id) ON DELETE CASCADE,
    name     text        NOT NULL,
    secret   bytea       NOT NULL,
    set_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (interlay, name)
);

-- What an interlay's proxies have in common for logins: of the salts that unknown names get, sealed, and which version of the users is the last one;
-- no two are the same, also of an interlay that was deleted and made again.
CREATE SEQUENCE interlay_login_version;
CREATE TABLE interlay_login (
    interlay text   PRIMARY KEY REFERENCES interlay (id) ON DELETE CASCADE,
    seed     bytea  NOT NULL,
    version  bigint NOT NULL DEFAULT nextval('interlay_login_version')
);
