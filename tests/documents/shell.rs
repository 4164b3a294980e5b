//! Finds the dsr commands in a line of shell: only words, pipes, redirections and substitutions.

/// The arguments of each `dsr` that a line runs, including those in `<(…)` and `$(…)`.
///
/// Keeps variables as they are written.
pub(crate) fn calls(line: &str) -> Vec<Vec<String>> {
    let mut calls = Vec::new();
    for inner in substitutions(line) {
        calls.extend(self::calls(&inner));
    }
    let mut words: Vec<String> = Vec::new();
    for token in tokens(line).into_iter().chain([Token::End]) {
        match token {
            Token::Word(word) => words.push(word),
            Token::End => {
                let is_setting = |word: &&String| {
                    let name = word.split_once('=').map(|(name, _)| name);
                    name.is_some_and(|name| {
                        name.chars().all(|c| c.is_ascii_uppercase() || c == '_')
                    }) || [
                        "if", "while", "until", "!", "then", "do", "else", "{", "exec", "time",
                        "sudo",
                    ]
                    .contains(&word.as_str())
                };
                let mut rest = words.iter().skip_while(is_setting);
                if rest.next().is_some_and(|word| word == "dsr") {
                    calls.push(rest.cloned().collect());
                }
                words.clear();
            }
        }
    }
    calls
}

enum Token {
    Word(String),
    End,
}

fn tokens(line: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut word: Option<String> = None;
    let mut letters = line.chars().peekable();
    // The word after `>` is a file, not an argument.
    let mut is_file = false;
    let finish = |word: &mut Option<String>, is_file: &mut bool| {
        if let Some(word) = word.take() {
            match *is_file {
                true => *is_file = false,
                false => return Some(Token::Word(word)),
            }
        }
        None
    };
    while let Some(letter) = letters.next() {
        match letter {
            '\'' | '"' => {
                let part = word.get_or_insert_default();
                for quoted in letters.by_ref().take_while(|other| *other != letter) {
                    part.push(quoted);
                }
            }
            '\\' => drop(letters.next().filter(|next| *next != '\n').map(|next| {
                word.get_or_insert_default().push(next);
            })),
            ' ' | '\t' => tokens.extend(finish(&mut word, &mut is_file)),
            '#' if word.is_none() => {
                letters.by_ref().find(|other| *other == '\n');
                tokens.push(Token::End);
            }
            '<' | '$' if letters.peek() == Some(&'(') => {
                let mut depth = 0;
                let part = word.get_or_insert_default();
                part.push('…');
                for inner in letters.by_ref() {
                    depth += i32::from(inner == '(') - i32::from(inner == ')');
                    if depth == 0 {
                        break;
                    }
                }
            }
            '<' | '>' => {
                // The number in `2>` names a stream and is not a word.
                let stream = word.take_if(|word| word.chars().all(|c| c.is_ascii_digit()));
                drop(stream);
                tokens.extend(finish(&mut word, &mut is_file));
                while letters.next_if(|next| ['>', '&'].contains(next)).is_some() {}
                is_file = true;
            }
            '|' | '&' | ';' | '\n' | '(' | ')' => {
                tokens.extend(finish(&mut word, &mut is_file));
                tokens.push(Token::End);
            }
            other => word.get_or_insert_default().push(other),
        }
    }
    tokens.extend(finish(&mut word, &mut is_file));
    tokens
}

/// The text in `$(…)` and `<(…)`, quoted or not.
fn substitutions(line: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (place, _) in line.match_indices("$(").chain(line.match_indices("<(")) {
        let mut depth = 1;
        let inner = line[place + 2..].chars().take_while(|letter| {
            depth += i32::from(*letter == '(') - i32::from(*letter == ')');
            depth > 0
        });
        found.push(inner.collect());
    }
    found
}

#[test]
fn each_dsr_in_a_line_is_found() {
    let found = |line: &str| {
        let calls = calls(line).into_iter();
        calls.map(|words| words.join(",")).collect::<Vec<_>>()
    };
    assert_eq!(found("dsr status  # all of them; dsr find x"), ["status"]);
    assert_eq!(
        found("psql -c 'select 1; dsr x' | dsr find - && dsr status"),
        ["find,-", "status"]
    );
    assert_eq!(
        found("A=1 B='2 3' dsr export \\\n  --gdpr 'a b' > out.json 2>&1"),
        ["export,--gdpr,a b"]
    );
    assert_eq!(found("id=$(dsr status --json | jq .id)"), ["status,--json"]);
    assert_eq!(
        found("if dsr status; then dsr resume; fi"),
        ["status", "resume"]
    );
    assert_eq!(
        found("DSR_TOKEN_FILE=<(pass x) dsr status < ids"),
        ["status"]
    );
    assert!(found("echo dsr status").is_empty());
}
