//! The arguments that name labelled folders, and how it is told what was left aside there.

use std::path::PathBuf;

use super::exit;
use crate::album::label::Pattern;
use crate::album::left::Left;
use crate::lab::labelled;

/// Which folders hold what.
#[derive(Debug, Clone, Default, clap::Args)]
pub(super) struct Names {
    /// Folder with pictures of good parts, at any depth below --data: its name, the end of its path (`train/good`), or `./good` for the one
    /// directly in --data; `*` and `?` stand for any characters. Repeat it for more folders; for each picture the nearest named folder
    /// decides. Without it: ok_front, or else the one folder called ok or good
    #[arg(long, value_name = "FOLDER", value_parser = Pattern::parse)]
    ok: Vec<Pattern>,
    /// Folder with pictures of defective parts, in the same way, such as one for each kind of defect. Without it: def_front, or else the one
    /// folder called def, defect, defects, defective, bad, ng or nok
    #[arg(long, value_name = "FOLDER", value_parser = Pattern::parse)]
    defect: Vec<Pattern>,
}

/// Which folders hold what, below `--data`.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Folders {
    /// Folder that holds a folder of good parts and one of defective parts, see --ok and --defect
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    #[command(flatten)]
    names: Names,
}

/// The same below each of several folders.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct ManyFolders {
    /// Folders, such as one for each split, that hold folders of good and of defective parts, see --ok and --defect
    #[arg(long, value_name = "DIR", num_args = 1.., required = true)]
    data: Vec<PathBuf>,
    #[command(flatten)]
    names: Names,
}

impl From<Names> for labelled::Names {
    fn from(Names { ok, defect }: Names) -> Self {
        Self { ok, defect }
    }
}

impl From<Folders> for labelled::Folders {
    fn from(Folders { data, names }: Folders) -> Self {
        Self { data, names: names.into() }
    }
}

impl From<ManyFolders> for labelled::ManyFolders {
    fn from(ManyFolders { data, names }: ManyFolders) -> Self {
        Self { data, names: names.into() }
    }
}

/// Says on standard error what was left aside.
pub(super) fn tell_left(left: &Left) {
    left.lines().iter().for_each(|line| exit::note(line));
}
