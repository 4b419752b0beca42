//! The database file: opening, its schema, and what an error of SQLite means.
//!
//! This file and those below it are the only ones that name the SQLite crate. Must not know queues, threads or clocks.

mod bounds;
mod numbers;
mod place;
mod reader;
mod rows;
mod salvage;
mod untold;

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension as _};

pub(super) use bounds::Bounds;
pub(super) use numbers::{BLOCK, Beginning, Known};
pub(super) use place::Place;
pub use reader::Reader;
pub(super) use salvage::{Salvage, salvage};

use super::files::{Identity, JOURNALS, beside, identity};
use super::{Fault, StoreError};
use crate::regular;

/// The schema that this build writes.
pub(super) const SCHEMA: i64 = 1;
/// Steps from schema 1 on, each to the next one.
const MIGRATIONS: &[&str] = &[];
/// Marks the file as castgate's, for `file` and against mistakes: "cgat".
const APPLICATION: i64 = 0x6367_6174;
/// What a file is whose beginning SQLite does not know.
pub(super) const NO_DATABASE: &str = "is no database";
/// How long to wait for a lock that another program holds on the file.
const BUSY: Duration = Duration::from_secs(1);

/// Parts and notes. `meta` begins with `schema`, `reserved` (the first number that is not reserved) and `ended` (1 when the last run ended
/// in order); the calendar adds `seen_ms` and `doubted_ms`.
const CREATE: &str = "
CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL);
CREATE TABLE parts (
    number INTEGER PRIMARY KEY,
    opened_at_ms INTEGER NOT NULL,
    finished_at_ms INTEGER,
    outcome TEXT,
    verdict TEXT,
    reason TEXT,
    config TEXT NOT NULL,
    model TEXT NOT NULL,
    remark TEXT,
    history TEXT
);
CREATE INDEX parts_finished ON parts (finished_at_ms);
CREATE INDEX parts_rejected ON parts (number) WHERE verdict = 'reject';
CREATE TABLE notes (id INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, kind TEXT NOT NULL, detail TEXT NOT NULL);
CREATE INDEX notes_at ON notes (at_ms);
INSERT INTO meta VALUES ('schema', 1), ('reserved', 1), ('ended', 1);
";

/// The open file, for writing.
pub(super) struct Database {
    connection: Connection,
    file: PathBuf,
    identity: Identity,
    /// The journal and its index, once they are there.
    journals: [Option<Identity>; 2],
    /// The least length that the file can have, in bytes.
    length: u64,
    /// The last part that was read in passing.
    scanned: i64,
    /// Whether the file was made just now.
    pub(super) is_new: bool,
}

impl Database {
    /// Opens the file, makes it where it is missing, and brings an older schema up to date.
    ///
    /// # Errors
    /// As [`super::open`].
    pub(super) fn open(file: &Path, bounds: &Bounds) -> Result<Self, StoreError> {
        check_folder(file)?;
        if fs::metadata(file).is_ok_and(|file| file.permissions().readonly()) {
            return Err(read_only(file));
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let failed = |doing| failed(file, doing);
        let mut connection = Connection::open_with_flags(file, flags).map_err(failed("open the database"))?;
        connection.busy_timeout(BUSY).map_err(failed("open the database"))?;
        let is_new = inspect(&connection, file)?.is_none();
        if is_new {
            create(&mut connection).map_err(failed("create the tables"))?;
        }
        if connection.is_readonly("main").map_err(failed("open the database"))? {
            return Err(read_only(file));
        }
        let mode: String = connection
            .query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))
            .map_err(failed("set up the journal"))?;
        if mode != "wal" {
            return Err(StoreError::Folder {
                file: file.to_owned(),
                what: "is on a file system without shared memory, such as a network drive".to_owned(),
            });
        }
        let pages = bounds.journal_pages();
        connection
            .execute_batch(&format!(
                "PRAGMA synchronous = NORMAL; PRAGMA trusted_schema = OFF; PRAGMA wal_autocheckpoint = {pages};"
            ))
            .map_err(failed("set up the journal"))?;
        migrate(&mut connection, file)?;
        connection.execute_batch(untold::TABLE).map_err(failed("create the tables"))?;
        let identity = identity(file).ok_or_else(|| gone(file))?;
        let journals = JOURNALS.map(|ending| self::identity(&beside(file, ending)));
        let mut database =
            Self { connection, file: file.to_owned(), identity, journals, length: 0, scanned: 0, is_new };
        database.measure()?;
        Ok(database)
    }

    fn failed(&self, doing: &'static str) -> impl Fn(rusqlite::Error) -> StoreError + use<> {
        failed(&self.file, doing)
    }

    /// Lets the file grow by `pages` at most from now on, as a full disk would; does not wait for locks.
    #[cfg(test)]
    pub(super) fn limit(&self, pages: i64) {
        self.connection.busy_timeout(Duration::ZERO).expect("tests use open files");
        let sql = format!("SELECT page_count + {pages} FROM pragma_page_count");
        let most: i64 = self.connection.query_row(&sql, [], |row| row.get(0)).expect("tests use open files");
        self.connection.pragma_update(None, "max_page_count", most).expect("tests use open files");
    }
}

/// Whether a database has room to be opened in this folder; leaves nothing behind.
pub(super) fn probe(file: &Path) -> Result<(), StoreError> {
    /// What an opened database needs on the disk at least: the index of its journal and some pages.
    const ROOM: usize = 1 << 16;
    let folder = check_folder(file)?;
    let probe = folder.join(format!(".castgate-check-{}", std::process::id()));
    let made = OpenOptions::new().create_new(true).write(true).open(&probe);
    let written = made.and_then(|mut probe| probe.write_all(&vec![0; ROOM]));
    let _ = fs::remove_file(&probe);
    written.map_err(|error| match Fault::of(&error) {
        fault @ (Fault::Full | Fault::Disk) => {
            let (file, doing, cause) = (file.to_owned(), "write beside it", error.to_string());
            StoreError::Failed { file, doing, cause, fault }
        }
        _ => StoreError::Folder { file: file.to_owned(), what: format!("cannot be written: {error}") },
    })
}

/// Whether a store could be opened here, see [`super::check`].
pub(super) fn check(file: &Path) -> Result<String, StoreError> {
    probe(file)?;
    let Ok(metadata) = fs::metadata(file) else {
        return Ok("will be created".to_owned());
    };
    if regular::open_to_append(file).is_err() || metadata.permissions().readonly() {
        return Err(read_only(file));
    }
    if metadata.len() == 0 {
        return Ok("is empty; a new one will be begun".to_owned());
    }
    let mib = metadata.len() as f64 / f64::from(1 << 20);
    Ok(match Reader::open(file)?.range()? {
        Some((first, last)) => format!("holds parts {first} to {last} in {mib:.1} MiB"),
        None => "holds no part yet".to_owned(),
    })
}

/// The folder of the file, which must be there.
pub(super) fn check_folder(file: &Path) -> Result<PathBuf, StoreError> {
    let folder = match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let wrong = |what: String| StoreError::Folder { file: file.to_owned(), what };
    match fs::metadata(folder) {
        Ok(metadata) if !metadata.is_dir() => Err(wrong(format!("{} is no folder", folder.display()))),
        Ok(_) => look(file).map(|()| folder.to_owned()),
        Err(error) => Err(wrong(format!("{} cannot be used: {error}", folder.display()))),
    }
}

/// Nothing but regular files may stand where the database and what lies beside it are: SQLite would wait for the other end of a pipe.
fn look(file: &Path) -> Result<(), StoreError> {
    for ending in ["", "-wal", "-shm", "-journal", ".lock", ".next"] {
        let name = beside(file, ending);
        if let Err(error) = regular::look(&name)
            && matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::IsADirectory)
        {
            return Err(foreign(&name, error.to_string().trim_start_matches("it ")));
        }
    }
    Ok(())
}

/// The schema of the file; `None` for an empty one.
fn inspect(connection: &Connection, file: &Path) -> Result<Option<i64>, StoreError> {
    let failed = failed(file, "read the database");
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_master", [], |row| row.get(0)).map_err(&failed)?;
    if tables == 0 {
        return Ok(None);
    }
    let application: i64 =
        connection.query_row("PRAGMA application_id", [], |row| row.get(0)).map_err(&failed)?;
    if application != APPLICATION {
        return Err(foreign(file, "is a database of another program"));
    }
    let schema = meta(connection, "schema").map_err(&failed)?;
    match schema {
        None | Some(..1) => Err(foreign(file, "is a database without its schema's number")),
        Some(found) if found > SCHEMA => {
            Err(StoreError::Newer { file: file.to_owned(), found, known: SCHEMA })
        }
        known => Ok(known),
    }
}

fn create(connection: &mut Connection) -> rusqlite::Result<()> {
    // Only an empty file can be told to give memory back in small pieces.
    connection.execute_batch("PRAGMA auto_vacuum = INCREMENTAL")?;
    let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    transaction.execute_batch(CREATE)?;
    transaction.pragma_update(None, "application_id", APPLICATION)?;
    transaction.commit()
}

fn migrate(connection: &mut Connection, file: &Path) -> Result<(), StoreError> {
    let from = inspect(connection, file)?.unwrap_or(SCHEMA);
    let failed = failed(file, "bring the tables up to date");
    for (step, sql) in MIGRATIONS.iter().enumerate().skip(usize::try_from(from - 1).unwrap_or(0)) {
        let next = step as i64 + 2;
        let transaction = connection.transaction().map_err(&failed)?;
        transaction.execute_batch(sql).map_err(&failed)?;
        set_meta(&transaction, "schema", next).map_err(&failed)?;
        transaction.commit().map_err(&failed)?;
        log::info!("store: {} now has schema {next}", file.display());
    }
    Ok(())
}

fn meta(connection: &Connection, key: &str) -> rusqlite::Result<Option<i64>> {
    connection.query_row("SELECT value FROM meta WHERE key = ?1", [key], |row| row.get(0)).optional()
}

fn set_meta(connection: &Connection, key: &str, value: i64) -> rusqlite::Result<()> {
    connection.execute("INSERT OR REPLACE INTO meta VALUES (?1, ?2)", (key, value)).map(drop)
}

/// A number as SQLite keeps it.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A number that SQLite kept.
fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

fn read_only(file: &Path) -> StoreError {
    let cause = "the file is read-only".to_owned();
    StoreError::Failed { file: file.to_owned(), doing: "write to it", cause, fault: Fault::ReadOnly }
}

fn gone(file: &Path) -> StoreError {
    let cause = "it was deleted or replaced while castgate was using it".to_owned();
    StoreError::Failed { file: file.to_owned(), doing: "write to it", cause, fault: Fault::Other }
}

fn foreign(file: &Path, what: &str) -> StoreError {
    StoreError::Foreign { file: file.to_owned(), what: what.to_owned() }
}

/// What an error of SQLite means.
fn failed(file: &Path, doing: &'static str) -> impl Fn(rusqlite::Error) -> StoreError + use<> {
    let file = file.to_owned();
    move |error| {
        let fault = match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => return foreign(&file, NO_DATABASE),
            Some(ErrorCode::DiskFull) => Fault::Full,
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Fault::Locked,
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => Fault::ReadOnly,
            Some(ErrorCode::DatabaseCorrupt) => Fault::Damaged,
            Some(ErrorCode::CannotOpen) => Fault::Unreachable,
            Some(ErrorCode::SystemIoFailure) => Fault::Disk,
            // The words of this program are right for its own tables, so these are not, or hold what was never written.
            Some(ErrorCode::Unknown) => Fault::Damaged,
            None if is_unexpected(&error) => Fault::Damaged,
            _ => Fault::Other,
        };
        StoreError::Failed { file: file.clone(), doing, cause: error.to_string(), fault }
    }
}

/// Whether a column holds something else than this program ever wrote.
fn is_unexpected(error: &rusqlite::Error) -> bool {
    matches!(
        error,
        rusqlite::Error::InvalidColumnType(..)
            | rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::IntegralValueOutOfRange(..)
    )
}

#[cfg(test)]
pub(super) mod tests;
