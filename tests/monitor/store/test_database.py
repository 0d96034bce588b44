"""Opening: the tables are those of the models, and every mistake is one line."""

import sqlite3
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from demo.servers import PostgresServer, free_port
from monitor.store.errors import (
    NewerDatabaseError,
    NoPermissionError,
    StoreError,
    StoreUnavailableError,
    UnknownSchemeError,
    WrongPasswordError,
)
from monitor.store.models import metadata
from monitor.store.store import Store
from tests.stores import T0


async def fails(url: str) -> StoreError:
    """Return the error of opening `url`: one line, without a password."""
    with pytest.raises(StoreError) as caught:
        await Store.open(url, now=lambda: T0)
    assert "\n" not in str(caught.value)
    assert "geheim" not in str(caught.value)
    return caught.value


async def test_migrations_make_what_the_models_say(store: Store) -> None:
    def differences(connection: sa.Connection) -> list[object]:
        return compare_metadata(MigrationContext.configure(connection), metadata)

    async with store._database.read() as connection:
        assert await connection.run_sync(differences) == []


async def test_a_database_opens_again(store: Store, database_url: str) -> None:
    again = await Store.open(database_url, now=lambda: T0)
    await again.prove()
    await again.close()


async def test_a_newer_database_is_refused(store: Store, database_url: str) -> None:
    async with store._database.write() as connection:
        await connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    error = await fails(database_url)
    assert isinstance(error, NewerDatabaseError)
    assert f"{store.address} was used by a newer program (its tables are at 9999)" in str(error)


@pytest.mark.parametrize("url", ["mysql://u:geheim@host/x", "sqlite://", "monitor.db", ""])
async def test_an_unknown_address_is_refused(url: str) -> None:
    error = await fails(url)
    assert isinstance(error, UnknownSchemeError)
    assert "is neither sqlite:///path nor postgresql://name:password@host/database" in str(error)


async def test_a_folder_is_made_where_it_is_missing(tmp_path: Path) -> None:
    store = await Store.open(f"sqlite:///{tmp_path}/deep/down/monitor.db", now=lambda: T0)
    await store.close()
    assert (tmp_path / "deep/down/monitor.db").exists()


async def test_a_folder_is_no_database(tmp_path: Path) -> None:
    error = await fails(f"sqlite:///{tmp_path}")
    assert isinstance(error, NoPermissionError)
    assert str(error) == f"database: sqlite:///{tmp_path} cannot be opened: unable to open database file"


async def test_another_file_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("not a database at all, " * 100)
    error = await fails(f"sqlite:///{tmp_path}/notes.txt")
    assert str(error) == f"database: sqlite:///{tmp_path}/notes.txt cannot be opened: file is not a database"


async def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    error = await fails(f"sqlite:///{tmp_path}/file/monitor.db")
    assert isinstance(error, NoPermissionError)
    assert f"sqlite:///{tmp_path}/file/monitor.db: its folder cannot be made" in str(error)


async def test_a_file_that_another_program_holds_is_unavailable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitor.store.database.BUSY_SECONDS", 0.01)
    store = await Store.open(f"sqlite:///{tmp_path}/monitor.db", now=lambda: T0)
    holder = sqlite3.connect(tmp_path / "monitor.db", isolation_level=None)
    try:
        holder.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailableError, match="does not answer: database is locked"):
            await store.prove()
    finally:
        holder.close()
    await store.prove()
    await store.close()


async def test_a_server_that_is_not_there_is_named_without_its_password() -> None:
    port = free_port()
    error = await fails(f"postgresql://monitor:geheim@127.0.0.1:{port}/x")
    assert isinstance(error, StoreUnavailableError)
    assert str(error).startswith(f"database: postgresql://monitor:***@127.0.0.1:{port}/x does not answer: ")


@pytest.mark.real
async def test_a_wrong_password_is_said(postgres: PostgresServer) -> None:
    error = await fails(postgres.url.replace(":nexus@", ":geheim@"))
    assert isinstance(error, WrongPasswordError)
    assert str(error).endswith("/nexus refuses the name or password")


@pytest.mark.real
async def test_a_missing_database_is_said(postgres: PostgresServer) -> None:
    error = await fails(postgres.url_of("nowhere").replace("postgresql:", "postgres:"))
    assert str(error).endswith('/nowhere: database "nowhere" does not exist')
