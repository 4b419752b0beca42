//! Arguments as text that a shell reads as they were meant.

use crate::lab::known::Knowing;
use crate::lab::labelled::ManyFolders;

/// The word as it is where a shell would leave it alone, else between quotes.
pub(crate) fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._/,=+:@%-".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

/// The arguments that name the pictures.
pub(super) fn folders(folders: &ManyFolders) -> String {
    let data = folders.data.iter().map(|folder| quoted(&folder.to_string_lossy())).collect::<Vec<_>>();
    let mut words = format!("--data {}", data.join(" "));
    for (option, patterns) in [("--ok", &folders.names.ok), ("--defect", &folders.names.defect)] {
        words.extend(patterns.iter().map(|pattern| format!(" {option} {}", quoted(&pattern.to_string()))));
    }
    words
}

/// The arguments that say what is known of them, each with a blank before it.
pub(super) fn knowing(knowing: &Knowing) -> String {
    let option = |(name, value): (&str, &Option<std::path::PathBuf>)| {
        value.as_ref().map_or_else(String::new, |path| format!(" {name} {}", quoted(&path.to_string_lossy())))
    };
    [("--groups", &knowing.groups), ("--leave-out", &knowing.leave_out)].into_iter().map(option).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::album::label::Pattern;
    use crate::lab::labelled::Names;

    #[test]
    fn folders_and_knowledge_are_said_as_they_were_given() {
        let given = ManyFolders {
            data: ["a b", "c"].map(Into::into).into(),
            names: Names {
                ok: Vec::new(),
                defect: ["bad", "crack*"].map(|name| Pattern::parse(name).unwrap()).into(),
            },
        };
        assert_eq!(folders(&given), "--data 'a b' c --defect bad --defect 'crack*'");
        let known = Knowing { groups: Some("g.csv".into()), leave_out: Some("conflicts".into()) };
        assert_eq!(knowing(&known), " --groups g.csv --leave-out conflicts");
        assert_eq!(knowing(&Knowing::default()), "");
    }

    #[test]
    fn words_that_a_shell_would_change_are_quoted() {
        assert_eq!(quoted("full,motion=0"), "full,motion=0");
        assert_eq!(quoted("CC BY-NC-ND 4.0"), "'CC BY-NC-ND 4.0'");
        assert_eq!(quoted("it's $HOME"), "'it'\\''s $HOME'");
        assert_eq!(quoted(""), "''");
    }
}
