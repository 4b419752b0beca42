//! Which folders hold what, where `--ok` or `--defect` do not say it: found by the usual names, and never guessed.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};

use super::label::{DEFECTIVE, GOOD, Labels, Pattern, joined, usual};
use super::names::FORMATS;
use crate::printable::Printable as _;
use crate::verdict::Truth;

/// Subfolder with pictures of good parts, where castgate makes it.
pub const OK: &str = GOOD[0];
/// Subfolder with pictures of defective parts, where castgate makes it.
pub const DEFECT: &str = DEFECTIVE[0];

/// Most names in a message.
const NAMED: usize = 12;

/// The folders that hold pictures, as paths below a folder of pictures.
pub type Tree = Vec<Vec<OsString>>;

/// [`OK`] and [`DEFECT`] directly in the folder of pictures.
pub fn own() -> Labels {
    let of = |name: &str| vec![Pattern::named(OsStr::new(name), true)];
    Labels { ok: of(OK), defect: of(DEFECT) }
}

/// What was said of folders, completed by the usual names of those of `trees`:
///
/// - where every tree has [`OK`] and [`DEFECT`] directly in it, these, and nothing else;
/// - else the one usual name that occurs, of each kind. Folders that it leaves without a label may be further kinds of defects; then
///   nothing is read.
///
/// # Errors
/// When the names do not say it: in words that name the flags which would.
pub fn complete(said: Labels, trees: &[Tree]) -> Result<Labels, String> {
    if !said.ok.is_empty() && !said.defect.is_empty() {
        return Ok(said);
    }
    let on_top =
        |tree: &Tree, name: &str| tree.iter().any(|path| path.first().is_some_and(|first| first == name));
    if said == Labels::default() && trees.iter().all(|tree| on_top(tree, OK) && on_top(tree, DEFECT)) {
        return Ok(own());
    }
    let mut labels = said.clone();
    let mut problems = Vec::new();
    for (truth, patterns, word) in
        [(Truth::Ok, &mut labels.ok, "good"), (Truth::Defect, &mut labels.defect, "defective")]
    {
        if !patterns.is_empty() {
            continue;
        }
        let names: BTreeSet<&OsString> =
            trees.iter().flatten().flatten().filter(|name| usual(name) == Some(truth)).collect();
        let list = if truth == Truth::Ok { &GOOD[..] } else { &DEFECTIVE[..] };
        match names.len() {
            0 => problems.push(format!("no folder with pictures of {word} parts is called {}", either(list))),
            1 => patterns.extend(names.into_iter().map(|name| Pattern::named(name, false))),
            _ => problems.push(format!("several names of folders say {word} parts: {}", some(names))),
        }
    }
    let says = |path: &&Vec<OsString>, truth| path.iter().any(|name| usual(name) == Some(truth));
    let both = |path: &&Vec<OsString>| says(path, Truth::Ok) && says(path, Truth::Defect);
    if let (Some(path), true) = (trees.iter().flatten().find(both), said == Labels::default()) {
        problems.push(format!("the name of {} says both", joined(path)));
    }
    if problems.is_empty() && said.defect.is_empty() {
        let unnamed = without(&labels, trees);
        if !unnamed.is_empty() {
            problems.push(format!("nothing says what the parts in {} are", some(&unnamed)));
        }
    }
    if problems.is_empty() {
        return Ok(labels);
    }
    let found: BTreeSet<String> = trees.iter().flatten().map(|path| joined(path)).collect();
    let found = match found.iter().any(|path| !path.is_empty()) {
        true => format!("the pictures are in {}", some(found.iter().filter(|path| !path.is_empty()))),
        false => format!("no folder in it holds a {FORMATS} file"),
    };
    Err(format!(
        "{}; {found}; say which folders hold what, such as {}",
        problems.join(", and "),
        flags(&said, trees)
    ))
}

/// Folders of which nothing is said. What lies beside the folders counts for none.
fn without(labels: &Labels, trees: &[Tree]) -> BTreeSet<String> {
    let unnamed = |path: &&Vec<OsString>| !path.is_empty() && labels.of(path) == Ok(None);
    trees.iter().flatten().filter(unnamed).map(|path| joined(path)).collect()
}

/// The flags that would do, as far as the names of the folders suggest it: what is called like good parts is good, all else defective.
fn flags(said: &Labels, trees: &[Tree]) -> String {
    let (mut ok, mut defect) = (BTreeSet::new(), BTreeSet::new());
    for path in trees.iter().flatten() {
        let good = path.iter().find(|name| usual(name) == Some(Truth::Ok));
        if let Some(name) = good {
            ok.insert(quoted(name));
        } else if let Some(name) = path.last() {
            defect.insert(quoted(name));
        }
    }
    let words = |flag: &str, said: &[Pattern], names: BTreeSet<String>, usual: &str| -> Vec<String> {
        let mut names: Vec<String> = match said.is_empty() {
            true => names.into_iter().collect(),
            false => said.iter().map(|pattern| quoted(OsStr::new(&pattern.to_string()))).collect(),
        };
        if names.is_empty() || names.len() > NAMED {
            names = vec![usual.to_owned()];
        }
        names.iter().map(|name| format!("{flag} {name}")).collect()
    };
    [words("--ok", &said.ok, ok, OK), words("--defect", &said.defect, defect, DEFECT)].concat().join(" ")
}

/// The name as a shell takes it.
fn quoted(name: &OsStr) -> String {
    let shown = name.shown().to_string();
    let plain = |c: char| c.is_alphanumeric() || "._/,=+:@%-".contains(c);
    if shown.chars().all(plain) { shown } else { format!("'{}'", shown.replace('\'', "'\\''")) }
}

fn either(names: &[&str]) -> String {
    let (last, before) = names.split_last().unwrap_or((&"", &[]));
    format!("{} or {last}", before.join(", "))
}

/// The first of some names.
fn some<T: AsRef<OsStr>>(names: impl IntoIterator<Item = T>) -> String {
    let all: Vec<String> = names.into_iter().map(|name| name.as_ref().shown().to_string()).collect();
    let more = if all.len() > NAMED { format!(" and {} more", all.len() - NAMED) } else { String::new() };
    all.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ") + &more
}

/// What is wrong with labels that were given: patterns that name no folder with pictures, and kinds of parts of which there is none.
pub fn unused(labels: &Labels, trees: &[Tree]) -> Vec<String> {
    let all: BTreeSet<String> =
        trees.iter().flatten().filter(|path| !path.is_empty()).map(|path| joined(path)).collect();
    let names_one = |pattern: &Pattern| {
        let at = |path: &Vec<OsString>| (1..=path.len()).any(|depth| pattern.matches(&path[..depth]));
        trees.iter().flatten().any(at)
    };
    let mut wrong = Vec::new();
    for (flag, patterns) in [("--ok", &labels.ok), ("--defect", &labels.defect)] {
        let idle: Vec<&Pattern> = patterns.iter().filter(|pattern| !names_one(pattern)).collect();
        let said = match *labels == own() {
            // Nobody gave them.
            true => format!("holds no {FORMATS} file"),
            false => format!("names no folder that holds a {FORMATS} file"),
        };
        let flag = if *labels == own() { String::new() } else { format!("{flag} ") };
        wrong.extend(idle.iter().map(|pattern| format!("{flag}{pattern} {said}")));
    }
    if !wrong.is_empty() {
        wrong.push(match all.is_empty() {
            true => "there is none".to_owned(),
            false => format!("there are {}", some(&all)),
        });
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(paths: &[&str]) -> Tree {
        let parts =
            |path: &&str| path.split('/').filter(|part| !part.is_empty()).map(OsString::from).collect();
        paths.iter().map(parts).collect()
    }

    fn said(ok: &[&str], defect: &[&str]) -> Labels {
        let of = |texts: &[&str]| texts.iter().map(|text| Pattern::parse(text).unwrap()).collect();
        Labels { ok: of(ok), defect: of(defect) }
    }

    #[test]
    fn castgates_own_folders_go_before_all_others() {
        let found = complete(
            Labels::default(),
            &[tree(&["", "ok_front/mon", "def_front", "golden/ok_front", "bad"])],
        );
        assert_eq!(found, Ok(own()));
    }

    #[test]
    fn one_usual_name_of_each_kind_is_enough() {
        for (paths, ok, defect) in [
            (&["good", "bad"][..], "good", "bad"),
            (&["", "mon/OK", "tue/OK", "tue/NG/deep"], "OK", "NG"),
            (&["train/ok_front", "train/def_front", "test/def_front"], "ok_front", "def_front"),
        ] {
            assert_eq!(complete(Labels::default(), &[tree(paths)]), Ok(said(&[ok], &[defect])));
        }
        let two = [tree(&["ok_front"]), tree(&["ok_front", "def_front"])];
        assert_eq!(complete(Labels::default(), &two), Ok(said(&["ok_front"], &["def_front"])));
        assert_eq!(complete(said(&["fine"], &[]), &[tree(&["fine", "bad"])]), Ok(said(&["fine"], &["bad"])));
    }

    #[test]
    fn what_is_not_clear_is_refused_with_the_flags_that_would_do() {
        let wrong = |said: Labels, paths: &[&str]| complete(said, &[tree(paths)]).unwrap_err();
        let mvtec = ["train/good", "test/good", "test/crack", "test/a hole"];
        let text = wrong(Labels::default(), &mvtec);
        assert_eq!(
            text,
            "no folder with pictures of defective parts is called def_front, def, defect, defects, defective, bad, ng or nok; the pictures \
             are in test/a hole, test/crack, test/good, train/good; say which folders hold what, such as --ok good --defect 'a hole' \
             --defect crack"
        );
        assert!(
            wrong(said(&["good"], &[]), &mvtec)
                .ends_with("such as --ok good --defect 'a hole' --defect crack")
        );
        let text = wrong(Labels::default(), &["good", "bad", "scratch"]);
        assert!(text.starts_with("nothing says what the parts in scratch are;"), "{text}");
        let text = wrong(Labels::default(), &["ok_front"]);
        assert!(text.contains("def_front"), "{text}");
        let text = wrong(Labels::default(), &["good/bad", "good"]);
        assert!(text.starts_with("the name of good/bad says both;"), "{text}");
        let text = wrong(Labels::default(), &["good", "ok", "bad"]);
        assert!(text.starts_with("several names of folders say good parts: good, ok;"), "{text}");
        let text = wrong(Labels::default(), &[""]);
        assert!(text.contains("ok_front") && text.contains("no folder in it holds a JPEG"), "{text}");
    }

    #[test]
    fn flags_that_name_nothing_are_said() {
        let wrong = unused(&said(&["good", "fine*"], &["crakc"]), &[tree(&["good", "crack"])]);
        assert_eq!(
            wrong,
            [
                "--ok fine* names no folder that holds a JPEG, PNG, BMP, WebP or TIFF file",
                "--defect crakc names no folder that holds a JPEG, PNG, BMP, WebP or TIFF file",
                "there are crack, good",
            ]
        );
        assert!(unused(&said(&["a"], &["b*"]), &[tree(&["a/x"]), tree(&["x/b1"])]).is_empty());
        assert_eq!(unused(&said(&["a"], &["b"]), &[]).last().unwrap(), "there is none");
        let wrong = unused(&own(), &[tree(&["def_front"])]);
        assert_eq!(wrong, ["./ok_front holds no JPEG, PNG, BMP, WebP or TIFF file", "there are def_front"]);
    }
}
