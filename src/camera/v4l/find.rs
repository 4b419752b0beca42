//! Which video device a configuration means: by path, number or name, as the kernel lists them now.
//!
//! Must not open a device: a name is looked up while another program holds it.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use crate::regular;

/// Where the kernel lists its video devices.
const CLASS: &str = "/sys/class/video4linux";
/// Longest of the kernel's files that say something of a device: a page.
const LONGEST: u64 = 4096;
/// Most programs that are named.
const MOST_USERS: usize = 3;

/// A video device of this board.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Node {
    /// The number of `/dev/videoN`.
    pub number: u32,
    /// The camera's name.
    pub name: String,
    /// Which of the camera's devices it is; the first one carries the pictures.
    pub index: u32,
}

impl Node {
    pub(super) fn path(&self) -> PathBuf {
        PathBuf::from(format!("/dev/video{}", self.number))
    }
}

/// All video devices, by their number.
pub(super) fn nodes() -> Vec<Node> {
    nodes_in(Path::new(CLASS))
}

fn nodes_in(class: &Path) -> Vec<Node> {
    let entries = fs::read_dir(class).into_iter().flatten().flatten();
    let read = |path: &Path, file: &str| regular::read_text(&path.join(file), LONGEST).unwrap_or_default();
    let mut nodes: Vec<Node> = entries
        .filter_map(|entry| {
            let number = number_of(&entry.file_name().to_string_lossy())?;
            let index = read(&entry.path(), "index").trim().parse().unwrap_or(0);
            Some(Node { number, name: read(&entry.path(), "name").trim().to_owned(), index })
        })
        .collect();
    nodes.sort_by_key(|node| node.number);
    nodes
}

/// The N of `videoN`.
fn number_of(name: &str) -> Option<u32> {
    name.strip_prefix("video")?.parse().ok()
}

/// The video device that `wanted` names; without it, the only camera.
///
/// # Errors
/// What is missing or ambiguous, and what there is.
pub(super) fn resolve(wanted: Option<&str>) -> Result<Node, String> {
    let nodes = nodes();
    match wanted {
        Some(path) if path.contains('/') => by_path(Path::new(path), &nodes),
        wanted => choose(wanted, nodes),
    }
}

fn by_path(path: &Path, nodes: &[Node]) -> Result<Node, String> {
    let real = fs::canonicalize(path)
        .map_err(|_| format!("there is no {}: {}", path.display(), inventory(nodes)))?;
    let name = real.file_name().unwrap_or_default().to_string_lossy();
    let number = number_of(&name)
        .ok_or_else(|| format!("{} is no video device: {}", path.display(), inventory(nodes)))?;
    let known = nodes.iter().find(|node| node.number == number).cloned();
    Ok(known.unwrap_or_else(|| Node { number, name: name.into_owned(), index: 0 }))
}

fn choose(wanted: Option<&str>, nodes: Vec<Node>) -> Result<Node, String> {
    let number = wanted.and_then(|wanted| wanted.parse::<u32>().ok());
    let fits = |node: &&Node| match (number, wanted) {
        (Some(number), _) => node.number == number,
        // A camera's further devices carry its settings or statistics.
        (None, Some(name)) => node.name == name && node.index == 0,
        (None, None) => node.index == 0,
    };
    let found: Vec<&Node> = nodes.iter().filter(fits).collect();
    match (found.as_slice(), wanted) {
        ([one], _) => Ok((*one).clone()),
        ([], Some(wanted)) => Err(format!("there is no camera `{wanted}`: {}", inventory(&nodes))),
        ([], None) => Err(inventory(&nodes)),
        (several, Some(wanted)) => Err(format!(
            "`{wanted}` is the name of several cameras: {}; give a path below /dev/v4l/by-path",
            several.iter().map(|node| node.path().display().to_string()).collect::<Vec<_>>().join(", ")
        )),
        (_, None) => Err(format!("`camera.device` does not say which one: {}", inventory(&nodes))),
    }
}

/// The cameras that there are, for people.
fn inventory(nodes: &[Node]) -> String {
    if nodes.is_empty() {
        return "this board has no video device".to_owned();
    }
    let describe = |node: &Node| format!("{} ({})", node.path().display(), node.name);
    format!("there are {}", nodes.iter().map(describe).collect::<Vec<_>>().join(", "))
}

/// Other programs that have a device open, as far as this process may see them.
pub(super) fn users(device: &Path) -> Vec<String> {
    users_in(Path::new("/proc"), device, std::process::id())
}

fn users_in(proc: &Path, device: &Path, me: u32) -> Vec<String> {
    let number = |name: &OsStr| name.to_str()?.parse::<u32>().ok();
    let mut processes: Vec<u32> = listed(proc).filter_map(|path| number(path.file_name()?)).collect();
    processes.retain(|process| *process != me);
    processes.sort_unstable();
    let has = |process: &u32| {
        let files = proc.join(process.to_string()).join("fd");
        listed(&files).any(|file| fs::read_link(file).is_ok_and(|of| of == device))
    };
    let told = |process: u32| {
        let name =
            regular::read_text(&proc.join(process.to_string()).join("comm"), LONGEST).unwrap_or_default();
        format!("{} (process {process})", name.trim())
    };
    processes.into_iter().filter(has).take(MOST_USERS).map(told).collect()
}

fn listed(folder: &Path) -> impl Iterator<Item = PathBuf> {
    fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path())
}

/// The lasting names of a video device, below `/dev/v4l`.
pub(super) fn lasting_names(node: &Node) -> Vec<PathBuf> {
    let mut names = Vec::new();
    for folder in ["/dev/v4l/by-id", "/dev/v4l/by-path"] {
        names.extend(
            listed(Path::new(folder))
                .filter(|link| fs::canonicalize(link).is_ok_and(|real| real == node.path())),
        );
    }
    names.sort();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(number: u32, name: &str, index: u32) -> Node {
        Node { number, name: name.to_owned(), index }
    }

    #[test]
    fn a_camera_is_chosen_by_number_name_or_being_the_only_one() {
        let nodes = || vec![node(0, "C920", 0), node(1, "C920", 1), node(4, "OV9281", 0)];
        let chosen = |wanted| choose(wanted, nodes()).map(|node| node.number);
        assert_eq!(chosen(Some("1")), Ok(1));
        assert_eq!(chosen(Some("C920")), Ok(0));
        let there = "there are /dev/video0 (C920), /dev/video1 (C920), /dev/video4 (OV9281)";
        assert_eq!(chosen(Some("C922")), Err(format!("there is no camera `C922`: {there}")));
        assert_eq!(chosen(None), Err(format!("`camera.device` does not say which one: {there}")));
        assert_eq!(choose(None, vec![node(3, "one", 0), node(4, "one", 1)]).map(|node| node.number), Ok(3));
        let twice = vec![node(0, "C920", 0), node(2, "C920", 0)];
        let wanted = "`C920` is the name of several cameras: /dev/video0, /dev/video2; give a path below /dev/v4l/by-path";
        assert_eq!(choose(Some("C920"), twice), Err(wanted.to_owned()));
        assert_eq!(choose(None, Vec::new()), Err("this board has no video device".to_owned()));
    }

    #[test]
    fn a_path_that_leads_nowhere_says_what_there_is() {
        let error = by_path(Path::new("/dev/v4l/by-id/none"), &[]).unwrap_err();
        assert_eq!(error, "there is no /dev/v4l/by-id/none: this board has no video device");
        assert!(
            by_path(Path::new("/dev/null"), &[]).unwrap_err().starts_with("/dev/null is no video device")
        );
    }

    #[test]
    fn the_kernels_listing_is_read() {
        let dir = tempfile::tempdir().unwrap();
        for (name, index) in [("video10", "0"), ("video2", "1"), ("v4l-subdev0", "0")] {
            let node = dir.path().join(name);
            fs::create_dir(&node).unwrap();
            fs::write(node.join("name"), "OV9281\n").unwrap();
            fs::write(node.join("index"), format!("{index}\n")).unwrap();
        }
        assert_eq!(nodes_in(dir.path()), [node(2, "OV9281", 1), node(10, "OV9281", 0)]);
    }

    #[test]
    fn who_has_a_device_open_is_named() {
        let proc = tempfile::tempdir().unwrap();
        for (process, name, file) in
            [(7, "me", "/dev/video3"), (12, "ffmpeg", "/dev/video3"), (9, "sh", "/dev/null")]
        {
            let files = proc.path().join(format!("{process}/fd"));
            fs::create_dir_all(&files).unwrap();
            std::os::unix::fs::symlink(file, files.join("5")).unwrap();
            fs::write(files.parent().unwrap().join("comm"), format!("{name}\n")).unwrap();
        }
        fs::create_dir(proc.path().join("self")).unwrap();
        assert_eq!(users_in(proc.path(), Path::new("/dev/video3"), 7), ["ffmpeg (process 12)"]);
    }
}
