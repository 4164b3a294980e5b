//! Checks what dsr prints with `--json` against the shapes in `docs/schemas`: every run of every
//! test ends here.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex};

use jsonschema::{Registry, Validator};
use serde_json::Value;

/// The base address by which the files refer to each other; nothing is there.
const BASE: &str = "dsr:///";
/// The command by which shells ask for words: its output is never JSON.
const FOR_SHELLS: &str = "__complete";
/// How much of a violation is shown.
const MOST_ERRORS: usize = 5;
const LONGEST_ERROR: usize = 240;

static SHAPES: LazyLock<Shapes> = LazyLock::new(Shapes::read);

/// The published shapes, and which command prints which.
pub(crate) struct Shapes {
    files: BTreeMap<String, Value>,
    commands: BTreeMap<String, Vec<String>>,
    /// Each is made once, on first use.
    validators: Mutex<BTreeMap<String, &'static Validator>>,
}

/// The part of a run that concerns its shapes.
pub(super) struct Printed<'a> {
    pub(super) args: &'a [String],
    pub(super) stdout: &'a str,
    pub(super) stderr: &'a str,
}

impl Printed<'_> {
    /// # Panics
    /// A line has none of the command's shapes.
    #[track_caller]
    pub(super) fn is_in_shape(&self) {
        let Some(args) = own_args(self.args) else {
            return;
        };
        let has = |names: &[&str]| args.iter().any(|arg| names.contains(&arg.as_str()));
        // Help is text, whatever the other options.
        if !has(&["--json"]) || has(&["--help", "-h", "--version", "-V"]) {
            return;
        }
        let name = command(args);
        if name == FOR_SHELLS {
            return;
        }
        for line in whole_lines(self.stdout) {
            if let Err(why) = SHAPES.hold(&name, line) {
                panic!("stdout of `dsr {}`: {why}", args.join(" "));
            }
        }
        // Diagnostics may come before it.
        for line in whole_lines(self.stderr).filter(|line| line.starts_with('{')) {
            if let Err(why) = SHAPES.hold_to(&["error", "warnings"], line) {
                panic!("stderr of `dsr {}`: {why}", args.join(" "));
            }
        }
    }
}

/// dsr's own arguments, if no shell processes its output.
fn own_args(args: &[String]) -> Option<&[String]> {
    match args {
        [flag, script, _, own @ ..] if flag == "-c" => {
            script.ends_with("\"$0\" \"$@\"").then_some(own)
        }
        own => Some(own),
    }
}

/// A killed process may have printed half a line.
fn whole_lines(text: &str) -> impl Iterator<Item = &str> {
    let lines = text.split_inclusive('\n');
    lines.filter_map(|line| line.strip_suffix('\n'))
}

/// The words of the command line that name the command, such as `auth status`.
fn command(args: &[String]) -> String {
    let mut words: Vec<&str> = Vec::new();
    let mut is_value = false;
    for arg in args {
        match arg.as_str() {
            _ if is_value => is_value = false,
            "--project" | "--color" | "--lock-timeout" => is_value = true,
            flag if flag.starts_with('-') => {}
            word => words.push(word),
        }
    }
    let two = words.iter().take(2).copied().collect::<Vec<_>>().join(" ");
    match SHAPES.commands.contains_key(&two) {
        true => two,
        false => words.first().copied().unwrap_or_default().to_owned(),
    }
}

impl Shapes {
    pub(crate) fn folder() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/schemas")
    }

    fn read() -> Self {
        let folder = std::fs::read_dir(Self::folder()).expect("the shapes can be listed");
        let mut files = BTreeMap::new();
        for entry in folder {
            let path = entry.expect("the shapes can be listed").path();
            let name = path.file_stem().unwrap_or_default().to_string_lossy();
            if path
                .extension()
                .is_some_and(|extension| extension == "json")
            {
                let text = std::fs::read_to_string(&path).expect("a shape can be read");
                let shape = serde_json::from_str(&text);
                let shape = shape.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
                files.insert(name.into_owned(), shape);
            }
        }
        let text = std::fs::read_to_string(Self::folder().join("README.md"));
        let text = text.expect("the table of commands can be read");
        Self {
            files,
            commands: commands(&text),
            validators: Mutex::default(),
        }
    }

    /// All shapes except shared definitions.
    pub(crate) fn names() -> Vec<&'static str> {
        let names = SHAPES.files.keys().map(String::as_str);
        names.filter(|name| *name != "definitions").collect()
    }

    /// The shapes that the table promises for a command.
    pub(crate) fn of_command(name: &str) -> Option<&'static [String]> {
        SHAPES.commands.get(name).map(Vec::as_slice)
    }

    /// Returns the name of the command's shape that a line has.
    pub(crate) fn name_of(command: &str, line: &str) -> Result<&'static str, String> {
        SHAPES.hold(command, line)
    }

    fn hold(&'static self, command: &str, line: &str) -> Result<&'static str, String> {
        let shapes = self.commands.get(command);
        let shapes = shapes.ok_or_else(|| {
            format!("`dsr {command}` has no shape: docs/schemas/README.md does not name it")
        })?;
        let shapes: Vec<&str> = shapes.iter().map(String::as_str).collect();
        self.hold_to(&shapes, line)
    }

    /// Returns the name of the shape that a line has, or its violations of the closest shape.
    pub(crate) fn name_among(shapes: &[&str], line: &str) -> Result<&'static str, String> {
        SHAPES.hold_to(shapes, line)
    }

    fn hold_to(&'static self, shapes: &[&str], line: &str) -> Result<&'static str, String> {
        let value: Value = match serde_json::from_str(line) {
            Ok(value) => value,
            Err(error) => return Err(format!("no JSON ({error}): {}", start_of(line))),
        };
        let known = shapes.iter().map(|name| {
            let known = self.files.get_key_value(*name);
            known.unwrap_or_else(|| panic!("there is no docs/schemas/{name}.json"))
        });
        let known: Vec<(&String, &Value)> = known.collect();
        for (name, _) in &known {
            if self.validator(name).is_valid(&value) {
                return Ok(name);
            }
        }
        let count = |name: &str| self.validator(name).iter_errors(&value).count();
        let nearest = known
            .iter()
            .min_by_key(|(name, shape)| (missing_keys(shape, &value), count(name)));
        let Some((name, _)) = nearest else {
            return Err("it prints nothing that has a shape".to_owned());
        };
        let mut text = format!("not as docs/schemas/{name}.json says:");
        for error in self.validator(name).iter_errors(&value).take(MOST_ERRORS) {
            let place = error.instance_path().to_string();
            text.push_str(&format!("\n  {place}: {}", start_of(&error.to_string())));
        }
        Err(text)
    }

    fn validator(&'static self, name: &str) -> &'static Validator {
        let mut made = self.validators.lock().expect("no other test panics here");
        made.entry(name.to_owned()).or_insert_with(|| {
            let mut registry = Registry::new();
            for (other, shape) in &self.files {
                let added = registry.add(format!("{BASE}{other}.json"), shape);
                registry = added.expect("a shape can be named");
            }
            let registry = registry.prepare().expect("the shapes find each other");
            let validator = jsonschema::options()
                .with_registry(&registry)
                .with_base_uri(format!("{BASE}{name}.json"))
                .build(&self.files[name]);
            let validator = validator.unwrap_or_else(|error| panic!("{name}.json: {error}"));
            Box::leak(Box::new(validator))
        })
    }
}

fn missing_keys(shape: &Value, value: &Value) -> usize {
    let demanded = shape["required"].as_array().into_iter().flatten();
    let missing = demanded.filter(|key| value.get(key.as_str().unwrap_or_default()).is_none());
    missing.count()
}

/// The rows of the table: each command in backticks, with the files that the row links to.
fn commands(text: &str) -> BTreeMap<String, Vec<String>> {
    let mut commands = BTreeMap::new();
    for row in text.lines().filter(|line| line.starts_with("| `dsr ")) {
        let Some((names, shapes)) = row.trim_start_matches("| ").split_once(" | ") else {
            continue;
        };
        let links = shapes.split("](").skip(1);
        let links = links.filter_map(|link| link.split_once(".json)"));
        let links: Vec<String> = links.map(|(name, _)| name.to_owned()).collect();
        for name in names
            .split('`')
            .filter_map(|part| part.strip_prefix("dsr "))
        {
            commands.insert(name.to_owned(), links.clone());
        }
    }
    commands
}

fn start_of(text: &str) -> String {
    match text.char_indices().nth(LONGEST_ERROR) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
