//! The `where` of a query. Understands only what Mixpanel documents with examples, and refuses all
//! else: `properties["name"] == "text"`, `in` before a list, `in` between two texts, joined by `or`.

use serde_json::{Number, Value};

use crate::sandbox::api::replies::Refusal;

/// Comparisons, of which one must hold.
#[derive(Debug, PartialEq)]
pub(crate) struct Expression(Vec<Comparison>);

#[derive(Debug, PartialEq)]
struct Comparison {
    left: Operand,
    operator: Operator,
    right: Operand,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Operator {
    /// False between different types.
    Equals,
    /// Whether the left is one of a list, or a part of a text.
    In,
}

#[derive(Debug, PartialEq)]
enum Operand {
    Property(String),
    Literal(Value),
}

impl Expression {
    pub(crate) fn parse(text: &str) -> Result<Self, Refusal> {
        let all = Rest(text).expression();
        all.ok_or(Refusal::BadQuery(
            "where must be comparisons by == or in, joined by or: properties[\"name\"] == \"text\"",
        ))
    }

    /// Whether it holds for somebody with these properties.
    pub(crate) fn holds(&self, property: impl Fn(&str) -> Value) -> bool {
        let value = |operand: &Operand| match operand {
            Operand::Property(name) => property(name),
            Operand::Literal(value) => value.clone(),
        };
        self.0.iter().any(|one| {
            let (left, right) = (value(&one.left), value(&one.right));
            match (one.operator, &left, &right) {
                (_, Value::Null, _) | (_, _, Value::Null) => false,
                (Operator::Equals, ..) => left == right,
                (Operator::In, _, Value::Array(items)) => items.contains(&left),
                (Operator::In, Value::String(part), Value::String(whole)) => whole.contains(part),
                (Operator::In, ..) => false,
            }
        })
    }

    /// The texts that the property `name` is compared with.
    pub(crate) fn texts_of(&self, name: &str) -> Vec<String> {
        let of_name = |one: &&Comparison| one.left == Operand::Property(name.to_owned());
        let texts = |one: &Comparison| match &one.right {
            Operand::Literal(Value::Array(items)) => items.clone(),
            Operand::Literal(text) => vec![text.clone()],
            Operand::Property(_) => Vec::new(),
        };
        let texts = self.0.iter().filter(of_name).flat_map(texts);
        texts
            .filter_map(|text| text.as_str().map(str::to_owned))
            .collect()
    }
}

/// What is still to be read.
struct Rest<'a>(&'a str);

impl<'a> Rest<'a> {
    fn expression(&mut self) -> Option<Expression> {
        let mut comparisons = vec![self.comparison()?];
        while !self.0.trim().is_empty() {
            self.word("or")?;
            comparisons.push(self.comparison()?);
        }
        Some(Expression(comparisons))
    }

    fn comparison(&mut self) -> Option<Comparison> {
        let left = self.operand()?;
        let operator = match self.sign("==") {
            Some(()) => Operator::Equals,
            None => self.word("in").map(|()| Operator::In)?,
        };
        let right = match operator {
            Operator::In if self.sign("[").is_some() => Operand::Literal(self.list()?),
            Operator::In | Operator::Equals => self.operand()?,
        };
        Some(Comparison {
            left,
            operator,
            right,
        })
    }

    fn operand(&mut self) -> Option<Operand> {
        if self.sign("properties[").is_none() {
            return self.literal().map(Operand::Literal);
        }
        let name = self.text()?;
        self.sign("]")?;
        Some(Operand::Property(name.to_owned()))
    }

    /// The rest of a list after its `[`.
    fn list(&mut self) -> Option<Value> {
        let mut items = vec![self.literal()?];
        while self.sign("]").is_none() {
            self.sign(",")?;
            items.push(self.literal()?);
        }
        Some(Value::Array(items))
    }

    fn literal(&mut self) -> Option<Value> {
        if let Some(text) = self.text() {
            return Some(text.into());
        }
        let text = self.0.trim_start();
        let end = text.find(|one: char| !one.is_ascii_digit());
        let (digits, rest) = text.split_at(end.unwrap_or(text.len()));
        let number: Number = digits.parse().ok()?;
        self.0 = rest;
        Some(number.into())
    }

    /// A text in double quotes. How to escape a quote or a backslash is undocumented.
    fn text(&mut self) -> Option<&'a str> {
        let (text, rest) = self.0.trim_start().strip_prefix('"')?.split_once('"')?;
        self.0 = rest;
        (!text.contains('\\')).then_some(text)
    }

    fn sign(&mut self, sign: &str) -> Option<()> {
        self.0 = self.0.trim_start().strip_prefix(sign)?;
        Some(())
    }

    /// A word between spaces.
    fn word(&mut self, word: &str) -> Option<()> {
        let rest = self.0.strip_prefix(' ')?.trim_start();
        let rest = rest.strip_prefix(word)?;
        self.0 = rest.starts_with([' ', '[']).then_some(rest)?;
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn holds(text: &str) -> bool {
        let person =
            json!({"$email": "ann@example.test", "$phone": 15550001, "n": "7", "seven": 7});
        let expression = Expression::parse(text).expect(text);
        expression.holds(|name| person[name].clone())
    }

    #[test]
    fn the_documented_forms_hold_as_documented() {
        for text in [
            r#"properties["$email"] == "ann@example.test""#,
            r#"properties["$email"]=="ann@example.test""#,
            r#"properties["$email"] == "x" or properties["$phone"] == 15550001"#,
            r#"properties["$email"] in ["x", "ann@example.test"]"#,
            r#"properties["$phone"] in [1,15550001]"#,
            r#""ann@" in properties["$email"]"#,
            r#"properties["n"] in "1-7""#,
        ] {
            assert!(holds(text), "{text}");
        }
    }

    #[test]
    fn nothing_equals_a_value_of_another_type_or_case_or_nothing_at_all() {
        for text in [
            r#"properties["$email"] == "Ann@example.test""#,
            r#"properties["$phone"] == "15550001""#,
            r#"properties["n"] == 7"#,
            r#"properties["n"] == properties["seven"]"#,
            r#"properties["$phone"] in ["15550001"]"#,
            r#"properties["$email"] in ["ann@"]"#,
            r#"properties["none"] == properties["also none"]"#,
            r#"properties["none"] in "text""#,
        ] {
            assert!(!holds(text), "{text}");
        }
    }

    #[test]
    fn all_else_is_refused() {
        for text in [
            "",
            " ",
            r#"properties["a"]"#,
            r#"properties["a"] != "b""#,
            r#"properties["a"] == 'b'"#,
            r#"properties['a'] == "b""#,
            r#"properties["a"] == "b" and properties["c"] == "d""#,
            r#"properties["a"] == "b" or"#,
            r#"properties["a"] == "b"or properties["a"] == "c""#,
            r#"(properties["a"] == "b")"#,
            r#"not properties["a"] == "b""#,
            r#"user["a"] == "b""#,
            r#"properties["a"] == "b\"""#,
            r#"properties["a"] == "b\c""#,
            r#"properties["a"] == "b"#,
            r#"properties["a"] == ["b"]"#,
            r#"properties["a"] in []"#,
            r#"properties["a"] in ["b",]"#,
            r#"properties["a"] in["b" "c"]"#,
            r#"properties["a"] == "b" "c""#,
        ] {
            assert!(Expression::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn it_names_the_texts_of_a_property() {
        let text =
            r#"properties["id"] == "a" or properties["id"] in ["b", 1] or properties["x"] == "c""#;
        assert_eq!(Expression::parse(text).unwrap().texts_of("id"), ["a", "b"]);
    }
}
