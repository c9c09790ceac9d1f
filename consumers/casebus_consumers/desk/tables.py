"""Tables of the desk's own database, in the order in which they came: each step is carried out once."""

STEPS = (
    """
    CREATE TABLE officer (
        name TEXT PRIMARY KEY, shown TEXT NOT NULL, unit TEXT NOT NULL, role TEXT NOT NULL,
        hash TEXT NOT NULL, since_ms INTEGER NOT NULL
    );
    CREATE TABLE session (
        token BLOB PRIMARY KEY, officer TEXT NOT NULL REFERENCES officer (name) ON DELETE CASCADE,
        csrf TEXT NOT NULL, begun_ms INTEGER NOT NULL, seen_ms INTEGER NOT NULL
    );
    CREATE TABLE failed (about TEXT NOT NULL, at_ms INTEGER NOT NULL);
    CREATE INDEX failed_about ON failed (about, at_ms);
    CREATE TABLE access (
        number INTEGER PRIMARY KEY AUTOINCREMENT, at_ms INTEGER NOT NULL, officer TEXT NOT NULL,
        role TEXT NOT NULL, act TEXT NOT NULL, object TEXT, reason TEXT
    );
    CREATE TABLE unmasked (
        token BLOB NOT NULL REFERENCES session (token) ON DELETE CASCADE, chain TEXT NOT NULL,
        until_ms INTEGER NOT NULL, PRIMARY KEY (token, chain)
    );
    CREATE TABLE notice (
        seq INTEGER PRIMARY KEY, notice TEXT, kind TEXT NOT NULL, chain TEXT, speaker TEXT, type TEXT,
        role TEXT, at_ms INTEGER, digest TEXT, to_sign INTEGER NOT NULL,
        read_at_ms INTEGER, read_by TEXT, signed_at_ms INTEGER, signed_by TEXT
    );
    CREATE TABLE signing (position INTEGER PRIMARY KEY);
    CREATE INDEX notice_unread ON notice (seq) WHERE read_at_ms IS NULL;
    CREATE INDEX notice_chain ON notice (chain);
    CREATE TABLE secret (name TEXT PRIMARY KEY, value BLOB NOT NULL);
    """,
    # Lists and counts of an inbox of 100,000 notices without reading all of it.
    """
    CREATE INDEX notice_speaker ON notice (speaker, seq);
    CREATE INDEX notice_sights ON notice (kind, role, to_sign, read_at_ms, signed_at_ms);
    """,
    # Sign-ins that were begun at the identity provider.
    """
    CREATE TABLE sign_on (
        state BLOB PRIMARY KEY, browser BLOB NOT NULL, nonce TEXT NOT NULL, verifier TEXT NOT NULL,
        path TEXT NOT NULL, at_ms INTEGER NOT NULL
    );
    """,
    """
    CREATE TABLE draft (
        id TEXT PRIMARY KEY, type TEXT NOT NULL, chain TEXT, event_id TEXT NOT NULL, state TEXT NOT NULL,
        owner TEXT NOT NULL, version INTEGER NOT NULL, made_ms INTEGER NOT NULL, changed_ms INTEGER NOT NULL,
        content BLOB, event BLOB, digest TEXT, sent_digest TEXT
    );
    CREATE INDEX draft_state ON draft (state, changed_ms);
    CREATE TABLE draft_writer (
        draft TEXT NOT NULL REFERENCES draft (id) ON DELETE CASCADE, officer TEXT NOT NULL,
        PRIMARY KEY (draft, officer)
    );
    CREATE TABLE draft_step (
        number INTEGER PRIMARY KEY AUTOINCREMENT, draft TEXT NOT NULL REFERENCES draft (id) ON DELETE CASCADE,
        at_ms INTEGER NOT NULL, officer TEXT NOT NULL, shown TEXT NOT NULL, act TEXT NOT NULL, words BLOB
    );
    CREATE INDEX draft_steps ON draft_step (draft, number);
    """,
    """
    CREATE TABLE said (
        digest TEXT NOT NULL, chain TEXT NOT NULL, id TEXT NOT NULL, type TEXT NOT NULL, agency TEXT NOT NULL,
        at_ms INTEGER NOT NULL, PRIMARY KEY (chain, digest)
    );
    CREATE INDEX said_at ON said (at_ms);
    CREATE TABLE identifier (
        plain TEXT NOT NULL, kind TEXT NOT NULL, chain TEXT NOT NULL, digest TEXT, shown TEXT NOT NULL
    );
    CREATE INDEX identifier_plain ON identifier (plain);
    CREATE INDEX identifier_chain ON identifier (chain);
    CREATE INDEX identifier_name ON identifier (plain)
        WHERE kind IN ('reference', 'document', 'suspect', 'security');
    CREATE TABLE indexed (name TEXT PRIMARY KEY, ends TEXT NOT NULL);
    """,
    """
    CREATE TABLE job (
        id TEXT PRIMARY KEY, kind TEXT NOT NULL, officer TEXT NOT NULL, asked TEXT NOT NULL,
        state TEXT NOT NULL, at_ms INTEGER NOT NULL, ended_ms INTEGER, doing TEXT, done INTEGER NOT NULL,
        of_all INTEGER NOT NULL, file TEXT, size INTEGER, sha256 TEXT, found TEXT, problem TEXT
    );
    CREATE INDEX job_state ON job (state, at_ms);
    """,
)
"""A later version of the desk adds a step at the end; none is ever changed."""
