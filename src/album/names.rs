//! What a file is by its name and its first bytes, and which folders hold no parts.
//!
//! Owns the lists of endings. What the bytes of a picture mean is not known here.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use crate::picture::EXTENSIONS;

/// What is read, for messages.
pub const FORMATS: &str = "JPEG, PNG, BMP, WebP or TIFF";

/// Endings of pictures, films and archives that are not read: whoever put one there may think that it is.
const UNREAD: &str = "gif heic heif hif avif jp2 j2k jpx jxl jxr raw dng cr2 cr3 nef arw orf rw2 raf pef srw pgm ppm pbm pnm tga exr hdr psd xcf \
                      svg pcx ico ras dcm fits mp4 avi mov mkv mpg mpeg wmv webm zip tar gz tgz xz bz2 7z rar npz npy h5 hdf5 tfrecord";

/// Endings of what plainly is no picture.
const PLAIN: &str = "txt csv tsv json jsonl ndjson yaml yml toml ini cfg conf xml md rst html htm pdf doc docx xls xlsx ods odt db sqlite log lst \
                     names py ipynb sh bat ps1 onnx pt pth checkpoint previous sha256 md5 url lnk";

/// Folders that programs keep beside pictures: thumbnails, waste, what is left of an archive.
const ASIDE: &[&str] = &[
    "@eadir",
    "@recycle",
    "@tmp",
    "#recycle",
    "#snapshot",
    "__macosx",
    "__pycache__",
    "$recycle.bin",
    "system volume information",
    "lost+found",
];

/// Files that programs keep beside pictures.
const ASIDE_FILES: &[&str] = &["thumbs.db", "ehthumbs.db", "ehthumbs_vista.db", "desktop.ini"];

/// Folders whose pictures say where defects are and show no parts.
const MASKS: &[&str] = &["ground_truth", "ground-truth", "groundtruth", "gt", "mask", "masks"];

/// How the name of such a picture ends, before the last dot.
const MASK_ENDS: &[&str] = &["mask", "gt", "ground_truth", "groundtruth"];

/// What the name of a file says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named {
    /// It ends like a picture.
    Picture,
    /// It belongs to a program: hidden, a preview, a backup.
    Hidden,
    /// It ends like a picture and says that it is a mask.
    Mask,
    /// It ends like a picture, a film or an archive that castgate does not read.
    Unread,
    /// It ends like something that is no picture.
    Plain,
    /// It says nothing.
    Nothing,
}

/// What the name of a folder says of all that is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aside {
    /// It belongs to a program.
    Hidden,
    /// Its pictures say where defects are.
    Mask,
}

fn lower(name: &OsStr) -> String {
    name.to_string_lossy().to_lowercase()
}

/// The ending behind the last dot in small letters; empty where there is none.
pub fn ending(name: &OsStr) -> String {
    Path::new(name).extension().map(lower).unwrap_or_default()
}

/// Whether a file's name ends like that of a picture that is read.
pub fn is_picture_name(name: &OsStr) -> bool {
    EXTENSIONS.contains(&ending(name).as_str())
}

/// What a file's name says of it.
pub fn of_file(name: &OsStr) -> Named {
    let ending = ending(name);
    let bytes = name.as_bytes();
    if bytes.starts_with(b".") || bytes.ends_with(b"~") || ASIDE_FILES.contains(&lower(name).as_str()) {
        return Named::Hidden;
    }
    let among = |list: &str| list.split_ascii_whitespace().any(|known| known == ending);
    match () {
        () if is_picture_name(name) && is_mask_name(name) => Named::Mask,
        () if is_picture_name(name) => Named::Picture,
        () if among(UNREAD) => Named::Unread,
        () if among(PLAIN) => Named::Plain,
        () => Named::Nothing,
    }
}

/// `part7_mask.png`, `part7-GT.png`.
fn is_mask_name(name: &OsStr) -> bool {
    let stem = Path::new(name).file_stem().map(lower).unwrap_or_default();
    let ends = |end: &&str| stem.strip_suffix(*end).is_some_and(|rest| rest.ends_with(['_', '-', '.']));
    MASK_ENDS.iter().any(ends)
}

/// What a folder's name says of all that is in it; `None` for a folder that may hold parts.
pub fn of_folder(name: &OsStr) -> Option<Aside> {
    let lower = lower(name);
    match () {
        () if lower.starts_with('.') || ASIDE.contains(&lower.as_str()) => Some(Aside::Hidden),
        () if MASKS.contains(&lower.as_str()) => Some(Aside::Mask),
        () => None,
    }
}

/// Bytes at a file's beginning that [`looks_like`] and [`is_text`] want to see.
pub const FIRST: usize = 64;

/// The picture format whose files begin so.
pub fn looks_like(first: &[u8]) -> Option<&'static str> {
    let at = |from: usize, bytes: &[u8]| first.get(from..).is_some_and(|rest| rest.starts_with(bytes));
    let size =
        |from: usize| first.get(from..from + 4).and_then(|four| four.try_into().ok()).map(u32::from_le_bytes);
    match () {
        () if at(0, b"\xff\xd8\xff") => Some("JPEG"),
        () if at(0, b"\x89PNG\r\n\x1a\n") => Some("PNG"),
        () if at(0, b"RIFF") && at(8, b"WEBP") => Some("WebP"),
        () if at(0, b"II*\0") || at(0, b"MM\0*") || at(0, b"II+\0") || at(0, b"MM\0+") => Some("TIFF"),
        () if at(0, b"GIF87a") || at(0, b"GIF89a") => Some("GIF"),
        () if at(4, b"ftyp")
            && [&b"heic"[..], b"heix", b"hevc", b"mif1", b"msf1"].iter().any(|brand| at(8, brand)) =>
        {
            Some("HEIC")
        }
        () if at(4, b"ftypavif") => Some("AVIF"),
        () if at(0, b"\0\0\0\x0cjP  ") => Some("JPEG 2000"),
        () if at(0, b"\0\0\0\x0cJXL ") => Some("JPEG XL"),
        // `BM` alone begins many a text: the reserved bytes and the header's length must be right too.
        () if at(0, b"BM")
            && size(6) == Some(0)
            && size(14).is_some_and(|len| matches!(len, 12 | 40 | 52 | 56 | 64 | 108 | 124)) =>
        {
            Some("BMP")
        }
        () => None,
    }
}

/// Whether a file that begins so is text, or empty.
pub fn is_text(first: &[u8]) -> bool {
    // A character may be cut in two where `first` ends.
    let valid = match std::str::from_utf8(first) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(&first[..error.valid_up_to()]).unwrap_or_default()
        }
        Err(_) => return false,
    };
    !valid.contains(|c: char| c.is_control() && !c.is_whitespace())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_what_files_are() {
        let of = |name: &str| of_file(OsStr::new(name));
        for name in [
            "a.jpg", "a.JPG", "b.jpeg", "c.jpe", "d.JFIF", "e.png", "f.bmp", "g.webp", "h.tif", "i.TIFF",
            "mask.png", "gt.png",
        ] {
            assert_eq!(of(name), Named::Picture, "{name}");
        }
        for name in [".a.jpg", "._a.jpg", ".DS_Store", "Thumbs.db", "desktop.ini", "a.jpg~", ".png"] {
            assert_eq!(of(name), Named::Hidden, "{name}");
        }
        for name in ["a_mask.png", "a_GT.png", "a-mask.TIF", "000_ground_truth.png"] {
            assert_eq!(of(name), Named::Mask, "{name}");
        }
        assert_eq!(["a.heic", "b.GIF", "c.pgm", "d.zip"].map(of), [const { Named::Unread }; 4]);
        assert_eq!(["labels.csv", "README.md", "m.onnx", "a_mask.txt"].map(of), [const { Named::Plain }; 4]);
        assert_eq!(["a.dat", "README", "a.png.bak"].map(of), [const { Named::Nothing }; 3]);
        assert_eq!(of_file(OsStr::from_bytes(b"\xff.png")), Named::Picture);
    }

    #[test]
    fn folders_of_programs_and_of_masks_are_known() {
        let of = |name: &str| of_folder(OsStr::new(name));
        for name in [".ipynb_checkpoints", "@eaDir", "__MACOSX", ".thumbnails", "$RECYCLE.BIN"] {
            assert_eq!(of(name), Some(Aside::Hidden), "{name}");
        }
        for name in ["ground_truth", "masks", "Mask", "gt"] {
            assert_eq!(of(name), Some(Aside::Mask), "{name}");
        }
        assert_eq!(["ok_front", "masked", "test"].map(of), [None; 3]);
    }

    #[test]
    fn first_bytes_say_what_a_file_is() {
        let mut bmp = b"BM\x36\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0".to_vec();
        assert_eq!(looks_like(&bmp), Some("BMP"));
        bmp[14] = 41;
        for (first, what) in [
            (&b"\xff\xd8\xff\xe0"[..], Some("JPEG")),
            (b"RIFF\x10\0\0\0WEBPVP8 ", Some("WebP")),
            (b"MM\0*\0\0\0\x08", Some("TIFF")),
            (b"\0\0\0\x18ftypheic", Some("HEIC")),
            (b"GIF89a", Some("GIF")),
            (b"BMW and others", None),
            (&bmp, None),
            (b"RIFF\x10\0\0\0WAVE", None),
            (b"", None),
        ] {
            assert_eq!(looks_like(first), what, "{first:?}");
        }
        assert!(is_text(b"") && is_text("file,label\r\n\u{e9}".as_bytes()) && is_text(b"cut \xc3"));
        assert!(!is_text(b"\x00\x01") && !is_text(b"\xff\xfe") && !is_text(b"a\x1b[2J"));
    }
}
