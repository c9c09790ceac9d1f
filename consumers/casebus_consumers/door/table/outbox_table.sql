-- The outbox table of an agency's system, and what the door answers. The first five columns are Debezium's.
CREATE TABLE casebus_outbox (
    id            uuid PRIMARY KEY,        -- the event's id: the same row is one event, however often it is read
    aggregatetype varchar(255) NOT NULL,   -- yours: not looked at
    aggregateid   varchar(255) NOT NULL,   -- yours: not looked at
    type          varchar(255) NOT NULL,   -- the event type, such as referral.submitted
    payload       jsonb NOT NULL,          -- the whole CloudEvent, or its time, data and, if you like, source and subject
    position      bigint GENERATED ALWAYS AS IDENTITY
);
CREATE TABLE casebus_outbox_answer (
    id          text PRIMARY KEY,          -- of the row
    state       text NOT NULL,             -- queued, admitted, ledgered or refused
    chain       uuid,
    digest      text,
    refusal     jsonb,                     -- by (door or bus), detail, zh, and of the door errors with pointers, law
    answered_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE casebus_outbox_place (        -- up to which receipt of the bus the answers are brought
    one boolean PRIMARY KEY DEFAULT true CHECK (one), receipt bigint NOT NULL
);
CREATE FUNCTION casebus_outbox_told() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN NOTIFY casebus_outbox; RETURN NULL; END $$;
CREATE TRIGGER casebus_outbox_told AFTER INSERT ON casebus_outbox
    FOR EACH STATEMENT EXECUTE FUNCTION casebus_outbox_told();

-- The login of the door: nothing but this.
--   GRANT SELECT ON casebus_outbox TO casebus_door;                         -- and DELETE where door.yaml says delete: true
--   GRANT SELECT, INSERT, UPDATE ON casebus_outbox_answer, casebus_outbox_place TO casebus_door;
