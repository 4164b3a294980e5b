//! The parameters of a query, from its address or its form. Refuses one that this operation does not
//! know and one that is given twice: the real service would ignore it, and answer another question.

use std::collections::HashMap;

use url::form_urlencoded;

use crate::sandbox::api::replies::Refusal;

#[derive(Debug)]
pub(crate) struct QueryParameters(HashMap<String, String>);

impl QueryParameters {
    pub(crate) fn parse(text: &[u8], known: &[&str]) -> Result<Self, Refusal> {
        let mut parameters = HashMap::new();
        for (name, value) in form_urlencoded::parse(text).into_owned() {
            if !known.contains(&name.as_str()) {
                return Err(Refusal::BadQuery(
                    "the query has a parameter that the sandbox does not know",
                ));
            }
            if parameters.insert(name, value).is_some() {
                return Err(Refusal::BadQuery("the query has a parameter twice"));
            }
        }
        Ok(Self(parameters))
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// A JSON array of texts.
    pub(crate) fn texts(
        &self,
        name: &str,
        wrong: &'static str,
    ) -> Result<Option<Vec<String>>, Refusal> {
        let Some(text) = self.get(name) else {
            return Ok(None);
        };
        let texts: Option<Vec<String>> = serde_json::from_str(text).ok();
        texts.map(Some).ok_or(Refusal::BadQuery(wrong))
    }

    /// A whole number from 0.
    pub(crate) fn number(&self, name: &str, wrong: &'static str) -> Result<Option<usize>, Refusal> {
        let Some(text) = self.get(name) else {
            return Ok(None);
        };
        text.parse().map(Some).map_err(|_| Refusal::BadQuery(wrong))
    }
}
