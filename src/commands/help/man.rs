//! `dsr man`: man pages made from the command tree and the topics.

use std::path::{Path, PathBuf};
use std::{fs, io};

use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use crate::commands::context::Context;
use crate::commands::failures::local_io;
use crate::commands::help;
use crate::config::{create_private_folder, own_man_folder};
use crate::domain::ExitStatus;
use crate::ui::{
    Block, Example, Failure, HelpPage, HelpPart, ManFilesView, ManInstalledView, OutputFormat,
    Sheet, examples_of, folded, plain_words,
};

use super::{man_reader, topics};

/// In characters. A longer example continues on the next line.
const EXAMPLE_WIDTH: usize = 60;
/// An empty argument: without the quotes, the next argument would take its place.
const NO_DATE: &str = "\"\"";

/// Show or install man pages
///
/// Without an argument, dsr shows its own page. On a terminal, `man` shows the page. The Debian
/// package has installed all pages.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  dsr man                     read the page of dsr
  dsr man auth login          the page of a command
  dsr man exit-status         the page of a topic
  dsr man --install           all pages, for `man dsr`
  dsr man --output build/man  all pages, for a package
  dsr man > dsr.1             one page in roff")]
pub(crate) struct ManArgs {
    /// A command, such as `auth login`, or a topic
    #[arg(value_name = "COMMAND | TOPIC", conflicts_with_all = ["output", "install"])]
    words: Vec<String>,
    /// Install all pages in your own folder of man pages, and check that `man` finds them
    #[arg(long)]
    install: bool,
    /// Write all pages to the folders man1 and man7 in this folder
    #[arg(long, value_name = "DIR", conflicts_with = "install")]
    output: Option<PathBuf>,
}

pub(crate) fn run(
    ctx: &Context,
    args: &ManArgs,
    mut tree: clap::Command,
) -> Result<ExitStatus, Failure> {
    tree.build();
    let done = match &args.output {
        Some(folder) => {
            write_all(&tree, folder).and_then(|files| ctx.ui.print(&ManFilesView { files }))
        }
        None if args.install => install(ctx, &tree),
        None => show(ctx, &sheet_of(&args.words, &tree)?),
    };
    done.map_err(|error| local_io(&error))?;
    Ok(ExitStatus::Done)
}

fn write_all(tree: &clap::Command, folder: &Path) -> io::Result<Vec<PathBuf>> {
    let sheets = all_sheets(tree);
    let written = sheets.iter().map(|sheet| sheet.write_into(folder));
    written.collect()
}

fn install(ctx: &Context, tree: &clap::Command) -> io::Result<()> {
    let folder = own_man_folder().map_err(io::Error::other)?;
    let files = write_all(tree, &folder)?;
    let found = man_reader::looks_into(&folder);
    ctx.ui.print(&ManInstalledView {
        folder,
        files,
        found,
    })
}

/// On a terminal `man` shows the page; a file or a program gets roff.
fn show(ctx: &Context, sheet: &Sheet) -> io::Result<()> {
    if ctx.ui.format() == OutputFormat::Human && ctx.ui.is_on_screen() {
        let folder = tempfile::tempdir()?;
        let file = sheet.write_into(folder.path())?;
        if man_reader::show(&file) {
            return Ok(());
        }
        ctx.ui
            .note("This machine has no `man` to show the page. `dsr help` shows the same.");
    }
    ctx.ui.print(sheet)
}

fn sheet_of(words: &[String], tree: &clap::Command) -> Result<Sheet, Failure> {
    let page = match words {
        [word] => topics::find(word, None),
        _ => None,
    };
    match page {
        Some(page) => Ok(topic_sheet(&page)),
        None => {
            let known = names_below(tree);
            Ok(command_sheet(&help::find(tree, words)?, &known))
        }
    }
}

fn all_sheets(tree: &clap::Command) -> Vec<Sheet> {
    let known = names_below(tree);
    let mut sheets = Vec::new();
    let mut waiting = vec![tree];
    while let Some(command) = waiting.pop() {
        sheets.push(command_sheet(command, &known));
        waiting.extend(shown_below(command));
    }
    let pages = topics::titles().filter_map(|(name, _)| topics::find(name, None));
    sheets.extend(pages.map(|page| topic_sheet(&page)));
    sheets.sort_by_key(Sheet::file);
    sheets
}

fn shown_below(command: &clap::Command) -> impl Iterator<Item = &clap::Command> {
    let below = command.get_subcommands();
    below.filter(|command| !command.is_hide_set())
}

fn names_below(command: &clap::Command) -> Vec<String> {
    let own = command.get_bin_name().unwrap_or("dsr").to_owned();
    let below = shown_below(command).flat_map(names_below);
    std::iter::once(own).chain(below).collect()
}

impl Sheet {
    fn file(&self) -> String {
        format!("man{0}/{1}.{0}", self.section, self.name)
    }

    fn write_into(&self, folder: &Path) -> io::Result<PathBuf> {
        let path = folder.join(self.file());
        if let Some(folder) = path.parent() {
            create_private_folder(folder)?;
        }
        fs::write(&path, &self.text)?;
        Ok(path)
    }
}

fn command_sheet(command: &clap::Command, known: &[String]) -> Sheet {
    let typed = command.get_bin_name().unwrap_or("dsr").to_owned();
    let name = typed.replace(' ', "-");
    let is_root = typed == "dsr";
    // Global options are listed once, on the page of dsr.
    let shown = match is_root {
        true => command.clone(),
        false => command.clone().mut_args(|arg| {
            let is_shared =
                arg.is_global_set() || ["help", "version"].contains(&arg.get_id().as_str());
            let hidden = arg.is_hide_set();
            arg.hide(hidden || is_shared)
        }),
    };
    let usage = shown.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ").to_owned();
    let page = Man::new(shown.override_usage(usage))
        .title(name.to_uppercase())
        .date(NO_DATE)
        .source(format!("dsr {}", env!("CARGO_PKG_VERSION")))
        .manual("dsr manual");
    let mut text = Vec::new();
    let has_options = |arg: &clap::Arg| is_root || !arg.is_global_set();
    // Writing into memory cannot fail.
    drop(page.render_title(&mut text));
    drop(page.render_name_section(&mut text));
    drop(page.render_synopsis_section(&mut text));
    drop(page.render_description_section(&mut text));
    if command.get_arguments().any(has_options) {
        drop(page.render_options_section(&mut text));
    }
    if shown_below(command).next().is_some() {
        drop(page.render_subcommands_section(&mut text));
    }
    let mut rest = Roff::new();
    if !is_root {
        rest.control("SH", ["GLOBAL OPTIONS"]);
        rest.text([roman(
            "See `dsr`(1) for the options of every command, such as `--json` and `--sandbox`.",
        )]);
    }
    examples(&mut rest, command);
    shared_sections(&mut rest, &typed);
    let mut text = String::from_utf8_lossy(&text).into_owned();
    text.push_str(&rest.to_roff());
    see_also(&mut text, &typed, known);
    Sheet {
        name,
        section: 1,
        text: tidy(&text),
    }
}

fn examples(roff: &mut Roff, command: &clap::Command) {
    let parts = examples_of(command);
    let examples = parts.iter().filter_map(|part| match part {
        HelpPart::Examples(examples) => Some(examples),
        HelpPart::Prose(_) => None,
    });
    // Topics look like examples, and are listed under "see also" as well.
    let examples = examples
        .flatten()
        .filter(|example| example.line.contains("dsr "));
    roff.control("SH", ["EXAMPLES"]);
    for (place, Example { line, meaning }) in examples.enumerate() {
        if place > 0 {
            roff.control("PP", []);
        }
        if let Some(meaning) = meaning {
            roff.text([roman(format!("{meaning}:"))]);
        }
        let folded = folded(line, EXAMPLE_WIDTH);
        code(roff, &folded);
    }
}

/// The page of dsr has these sections in full; the other pages refer to it.
fn shared_sections(roff: &mut Roff, typed: &str) {
    let sections = [
        (
            "EXIT STATUS",
            "exit-status",
            "0 is success. The others are explained in",
        ),
        ("ENVIRONMENT", "environment", "The variables are in"),
        ("FILES", "files", "The files are listed in"),
    ];
    for (heading, topic, reference) in sections {
        roff.control("SH", [heading]);
        match topics::find(topic, None).filter(|_| typed == "dsr") {
            Some(page) => blocks(roff, &page.blocks[..1]),
            None => {
                roff.text([roman(format!("{reference} `dsr-{topic}`(7)."))]);
            }
        }
    }
}

/// The page of dsr names all other pages; each of the others names those that it mentions.
fn see_also(text: &mut String, typed: &str, known: &[String]) {
    let is_meant = |name: &&String| match typed {
        "dsr" => name.as_str() != "dsr",
        _ if name.as_str() == typed => false,
        _ => {
            let spoken_of = format!("`{name}").replace('-', "\\-");
            typed.starts_with(&format!("{name} ")) || text.contains(&spoken_of)
        }
    };
    let commands = known.iter().filter(is_meant);
    let commands = commands.map(|name| (name.replace(' ', "-"), 1));
    let topics = topics::titles().map(|(name, _)| (format!("dsr-{name}"), 7));
    let pages = commands.chain(topics);
    // Keeps each name on one line.
    let pages: Vec<String> = pages
        .map(|(page, section)| format!("\\fB{}\\fR({section})", page.replace('-', "\\-")))
        .collect();
    let mut roff = Roff::new();
    roff.control("SH", ["SEE ALSO"]);
    text.push_str(&roff.to_roff());
    text.push_str(&pages.join(",\n"));
    text.push('\n');
}

fn topic_sheet(page: &HelpPage) -> Sheet {
    let name = format!("dsr-{}", page.name);
    let mut roff = Roff::new();
    let source = format!("dsr {}", env!("CARGO_PKG_VERSION"));
    roff.control(
        "TH",
        [
            name.to_uppercase().as_str(),
            "7",
            NO_DATE,
            &source,
            "dsr manual",
        ],
    );
    roff.control("SH", ["NAME"]);
    roff.text([roman(format!("{name} - {}", page.title))]);
    roff.control("SH", ["DESCRIPTION"]);
    blocks(&mut roff, &page.blocks);
    roff.control("SH", ["SEE ALSO"]);
    roff.control("BR", ["dsr", "(1)"]);
    Sheet {
        name,
        section: 7,
        text: tidy(&roff.render()),
    }
}

fn blocks(roff: &mut Roff, blocks: &[Block]) {
    let mut is_first = true;
    for block in blocks {
        // A heading makes its own gap.
        if !is_first && matches!(block, Block::Paragraph(_) | Block::Code { .. }) {
            roff.control("PP", []);
        }
        is_first = matches!(block, Block::Heading(_));
        match block {
            Block::Heading(title) => drop(roff.control("SS", [title.as_str()])),
            Block::Paragraph(text) => drop(roff.text([roman(plain_words(text))])),
            Block::Item(text) => {
                roff.control("IP", ["\\(bu", "2"])
                    .text([roman(plain_words(text))]);
            }
            Block::Rows(rows) => {
                for (name, meaning) in rows {
                    roff.control("TP", [])
                        .text([bold(name)])
                        .text([roman(meaning)]);
                }
            }
            Block::Code { text, .. } => code(roff, text),
        }
    }
}

fn code(roff: &mut Roff, text: &str) {
    roff.control("RS", ["4"]).control("nf", []);
    for line in text.lines() {
        roff.text([roman(line)]);
    }
    roff.control("fi", []).control("RE", []);
}

/// Makes `` `words` `` bold, and each gap one request: man reads an empty line and repeated breaks
/// as something else.
fn tidy(text: &str) -> String {
    let mut tidied = String::with_capacity(text.len());
    let mut is_gap = false;
    for line in text.lines() {
        if line.is_empty() || line == ".br" {
            is_gap = true;
            continue;
        }
        if is_gap {
            tidied.push_str(".sp\n");
        }
        is_gap = false;
        for (place, part) in line.split('`').enumerate() {
            match place % 2 {
                1 => tidied.push_str(&format!("\\fB{part}\\fR")),
                _ => tidied.push_str(part),
            }
        }
        tidied.push('\n');
        if line.starts_with(".TH ") {
            // man must not hyphenate names, nor stretch the spaces between them.
            tidied.push_str(".nh\n.ad l\n");
        }
    }
    tidied
}
