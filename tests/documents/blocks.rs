//! Reads the fenced blocks of a Markdown document.

use std::path::Path;

/// The text between two fences.
#[derive(Debug, Clone)]
pub(crate) struct Block {
    /// The document and the line of the first fence.
    pub(crate) place: String,
    /// The heading above it.
    pub(crate) chapter: String,
    /// The word after the opening fence, which says how to treat the text.
    pub(crate) language: String,
    pub(crate) text: String,
}

pub(crate) fn of(document: &str) -> Vec<Block> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(document);
    let text = std::fs::read_to_string(path).unwrap();
    let (mut blocks, mut chapter) = (Vec::new(), String::new());
    let mut open: Option<(Block, usize)> = None;
    for (place, line) in text.lines().enumerate() {
        let bare = line.trim_start();
        let indent = line.len() - bare.len();
        match (bare.strip_prefix("```"), &mut open) {
            (Some(_), Some(_)) => blocks.extend(open.take().map(|(block, _)| block)),
            (Some(language), None) => {
                let block = Block {
                    place: format!("{document}:{}", place + 1),
                    chapter: chapter.clone(),
                    language: language.to_owned(),
                    text: String::new(),
                };
                open = Some((block, indent));
            }
            (None, Some((block, indent))) => {
                block.text.push_str(line.get(*indent..).unwrap_or_default());
                block.text.push('\n');
            }
            (None, None) if line.starts_with('#') => {
                line.trim_start_matches(['#', ' ']).clone_into(&mut chapter);
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "{document}: a fence is open");
    blocks
}

impl Block {
    /// Its commands, each with its continuation lines.
    pub(crate) fn commands(&self) -> Vec<String> {
        let mut commands: Vec<String> = Vec::new();
        for line in self.text.lines().filter(|line| !line.is_empty()) {
            match commands.last_mut().filter(|last| last.ends_with('\\')) {
                Some(last) => {
                    last.push('\n');
                    last.push_str(line);
                }
                None if line.starts_with('#') => {}
                None => commands.push(line.to_owned()),
            }
        }
        commands
    }
}
