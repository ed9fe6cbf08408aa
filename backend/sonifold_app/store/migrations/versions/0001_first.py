"""The first version: the tables of a user as an embedded file of version 6 has them, and what counts and cleans up."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

#: What SQLite's triggers do: a number for every change of a model's sounds, and nothing left of a sound that is gone.
FUNCTIONS = (
    """CREATE FUNCTION count_revision(changed text) RETURNS void LANGUAGE sql AS $$
        INSERT INTO kept_revisions VALUES (changed, 1)
        ON CONFLICT (model) DO UPDATE SET number = kept_revisions.number + 1
    $$""",
    """CREATE FUNCTION kept_sounds_changed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF TG_OP <> 'INSERT' THEN PERFORM count_revision(OLD.model); END IF;
        IF TG_OP <> 'DELETE' THEN PERFORM count_revision(NEW.model); END IF;
        IF TG_OP = 'DELETE' THEN
            DELETE FROM settled_places WHERE sound = OLD.id;
            DELETE FROM fingerprints WHERE audio = OLD.audio
                AND NOT EXISTS (SELECT 1 FROM kept_sounds WHERE audio = OLD.audio);
        END IF;
        RETURN NULL;
    END $$""",
    """CREATE TRIGGER kept_sounds_changed AFTER INSERT OR UPDATE OR DELETE ON kept_sounds
        FOR EACH ROW EXECUTE FUNCTION kept_sounds_changed()""",
)


def text(name: str, server_default: str | None = None) -> sa.Column[str]:
    return sa.Column(name, sa.String, nullable=False, server_default=server_default)


def order() -> sa.Column[int]:
    """In which order rows came; SQLite has it of itself, under this name."""
    return sa.Column("rowid", sa.BigInteger, sa.Identity(always=True), nullable=False)


def upgrade() -> None:
    create_sounds()
    create_jobs()
    create_models_of_sounds()
    create_listening_tests()
    op.create_table("installation", sa.Column("data_folder", sa.String, primary_key=True))
    for statement in FUNCTIONS:
        op.execute(statement)


def create_sounds() -> None:
    op.create_table(
        "kept_sounds",
        sa.Column("id", sa.String, primary_key=True),
        *(text(name) for name in ("model", "pack")),
        text("kind"),
        text("name"),
        sa.Column("seconds", sa.Double, nullable=False),
        sa.Column("pitch", sa.Double),
        *(sa.Column(name, sa.Double, nullable=False) for name in ("x", "y")),
        sa.Column("known", sa.Integer, nullable=False),
        *(sa.Column(name, sa.LargeBinary, nullable=False) for name in ("z", "timbre")),
        *(text(name) for name in ("audio", "source", "created")),
        text("facts", server_default="{}"),
        sa.CheckConstraint("kind IN ('made', 'uploaded')", name="kept_sounds_kind"),
    )
    op.create_index("kept_sounds_by_model", "kept_sounds", ["model", "created", "id"])
    op.create_index("kept_sounds_by_audio", "kept_sounds", ["audio"])
    op.create_table(
        "uploads",
        sa.Column("id", sa.String, primary_key=True),
        *(text(name) for name in ("model", "files")),
        sa.Column("created", sa.Double, nullable=False),
    )


def create_jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("id", sa.String, primary_key=True),
        *(text(name) for name in ("model", "pack", "title", "request", "state")),
        *(sa.Column(name, sa.Integer, nullable=False, server_default="0") for name in ("cancel", "attempts")),
        sa.Column("error", sa.String),
        text("created"),
        sa.Column("finished", sa.String),
        sa.CheckConstraint(
            "state IN ('queued', 'running', 'done', 'failed', 'cancelled')", name="jobs_state"
        ),
    )
    op.create_table(
        "job_events",
        sa.Column("job", sa.String, sa.ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        *(text(name) for name in ("kind", "data")),
    )


def create_models_of_sounds() -> None:
    """Adaptations, and what is worked out about sounds."""
    op.create_table(
        "adaptations",
        sa.Column("id", sa.String, primary_key=True),
        *(text(name) for name in ("model", "pack", "title")),
        sa.Column("seed", sa.BigInteger, nullable=False),
        *(text(name) for name in ("sounds", "told", "created")),
    )
    op.create_table(
        "kept_revisions",
        sa.Column("model", sa.String, primary_key=True),
        sa.Column("number", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "fingerprints",
        sa.Column("audio", sa.String, primary_key=True),
        sa.Column("map", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "settled_places",
        sa.Column("model", sa.String, primary_key=True),
        sa.Column("sound", sa.String, primary_key=True),
        text("version"),
        sa.Column("z", sa.LargeBinary, nullable=False),
        *(sa.Column(name, sa.Double, nullable=False) for name in ("x", "y")),
        sa.Column("known", sa.Integer, nullable=False),
    )
    op.create_index("settled_places_by_sound", "settled_places", ["sound"])


def create_listening_tests() -> None:
    op.create_table(
        "listening_tests",
        sa.Column("id", sa.String, primary_key=True),
        *(text(name) for name in ("title", "request", "models", "pairs")),
        *(sa.Column(name, sa.String) for name in ("stimuli", "error")),
        text("created"),
        order(),
    )
    op.create_table(
        "listeners",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("test", sa.String, sa.ForeignKey("listening_tests.id", ondelete="CASCADE"), nullable=False),
        *(text(name) for name in ("name", "seed", "client", "created")),
        order(),
    )
    op.create_index("listeners_by_test", "listeners", ["test"])
    op.create_table(
        "listening_answers",
        sa.Column("listener", sa.String, sa.ForeignKey("listeners.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        *(text(name) for name in ("answer", "listens", "created")),
        sa.CheckConstraint("answer IN ('1', '2', 'none')", name="listening_answers_answer"),
    )


def downgrade() -> None:
    for table in (
        "installation",
        "listening_answers",
        "listeners",
        "listening_tests",
        "settled_places",
        "fingerprints",
        "kept_revisions",
        "adaptations",
        "job_events",
        "jobs",
        "uploads",
        "kept_sounds",
    ):
        op.drop_table(table)
    op.execute("DROP FUNCTION kept_sounds_changed()")
    op.execute("DROP FUNCTION count_revision(text)")
