//! `castgate man`: the manual pages, from the definition of the command line.

use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Command;
use clap_mangen::Man;

use super::{ExitCode, definition, print};
use crate::lab::files::write_whole;
use crate::printable::Printable as _;

/// Print the manual page, or write the pages of all commands into a folder
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  castgate man | man -l -
  castgate man --out /usr/share/man/man1")]
pub(super) struct Args {
    /// Folder to write the pages of all commands into; made if it is not there
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

pub(super) fn run(args: Args) -> anyhow::Result<ExitCode> {
    let mut program = definition();
    // Gives every subcommand its full name.
    program.build();
    let Some(folder) = args.out else {
        print(&String::from_utf8(page(&program)?)?)?;
        return Ok(ExitCode::Ok);
    };
    fs::create_dir_all(&folder).with_context(|| format!("cannot make the folder {}", folder.shown()))?;
    for command in std::iter::once(&program).chain(program.get_subcommands()) {
        let file = folder.join(Man::new(command.clone()).get_filename());
        write_whole(&file, &page(command)?)?;
    }
    Ok(ExitCode::Ok)
}

fn page(command: &Command) -> io::Result<Vec<u8>> {
    let mut out = Vec::new();
    let man = Man::new(command.clone());
    man.render_title(&mut out)?;
    man.render_name_section(&mut out)?;
    man.render_synopsis_section(&mut out)?;
    man.render_description_section(&mut out)?;
    man.render_options_section(&mut out)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut out)?;
    }
    let notes = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    write_notes(&mut out, &notes)?;
    Ok(out)
}

/// The notes after the options. A paragraph whose first line ends with a colon becomes a section whose lines stay as they are:
/// filled text would break the alignment of examples.
fn write_notes(out: &mut Vec<u8>, notes: &str) -> io::Result<()> {
    for paragraph in notes.split("\n\n") {
        match paragraph.split_once(":\n") {
            Some((heading, body)) if !heading.contains('\n') => {
                writeln!(out, ".SH {}\n.nf", heading.to_uppercase())?;
                for line in body.lines() {
                    writeln!(out, "{}", plain(line.strip_prefix("  ").unwrap_or(line)))?;
                }
                writeln!(out, ".fi")?;
            }
            _ => {
                writeln!(out, ".PP")?;
                for line in paragraph.lines() {
                    writeln!(out, "{}", plain(line))?;
                }
            }
        }
    }
    Ok(())
}

/// A line as roff prints it letter by letter.
fn plain(line: &str) -> String {
    let line = line.replace('\\', "\\e").replace('-', "\\-");
    if line.starts_with(['.', '\'']) { format!("\\&{line}") } else { line }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_keep_their_lines_and_nothing_is_taken_for_a_request() {
        let mut out = Vec::new();
        write_notes(&mut out, "Examples:\n  a --b\n  .c \\d\n\nMore: text").unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            ".SH EXAMPLES\n.nf\na \\-\\-b\n\\&.c \\ed\n.fi\n.PP\nMore: text\n"
        );
    }
}
