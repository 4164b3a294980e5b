use serde::{Deserialize, Serialize};

use crate::domain::words;

/// Export or deletion, the two kinds of request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Export,
    Delete,
}

/// The law a request is made under; Mixpanel's `compliance_type`.
///
/// There is no default: a CCPA export holds the last year only, a GDPR export everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Law {
    Gdpr,
    Ccpa,
}

/// What a CCPA export discloses; Mixpanel's `disclosure_type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Disclosure {
    /// The personal data itself (Mixpanel's default)
    Data,
    /// The categories of personal data collected
    Categories,
    /// The sources it was collected from
    Sources,
}

/// What an export covers. Only the CCPA has a disclosure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetrievalScope {
    Gdpr,
    Ccpa(Disclosure),
}

/// What the operator asks Mixpanel to do with the ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    Export(RetrievalScope),
    Delete(Law),
}

impl Operation {
    pub fn kind(self) -> Kind {
        match self {
            Self::Export(_) => Kind::Export,
            Self::Delete(_) => Kind::Delete,
        }
    }

    pub fn law(self) -> Law {
        match self {
            Self::Export(RetrievalScope::Gdpr) => Law::Gdpr,
            Self::Export(RetrievalScope::Ccpa(_)) => Law::Ccpa,
            Self::Delete(law) => law,
        }
    }

    pub fn disclosure(self) -> Option<Disclosure> {
        match self {
            Self::Export(RetrievalScope::Ccpa(disclosure)) => Some(disclosure),
            Self::Export(RetrievalScope::Gdpr) | Self::Delete(_) => None,
        }
    }

    /// Joins [`Operation::kind`], [`Operation::law`] and [`Operation::disclosure`] again.
    /// `None` for an impossible combination, such as a deletion with a disclosure.
    pub fn from_parts(kind: Kind, law: Law, disclosure: Option<Disclosure>) -> Option<Self> {
        match (kind, law, disclosure) {
            (Kind::Export, Law::Gdpr, None) => Some(Self::Export(RetrievalScope::Gdpr)),
            (Kind::Export, Law::Ccpa, Some(d)) => Some(Self::Export(RetrievalScope::Ccpa(d))),
            (Kind::Delete, law, None) => Some(Self::Delete(law)),
            (Kind::Export, Law::Gdpr, Some(_))
            | (Kind::Export, Law::Ccpa, None)
            | (Kind::Delete, _, Some(_)) => None,
        }
    }
}

words!(Kind {
    Export => "export",
    Delete => "delete",
});

words!(Law {
    Gdpr => "gdpr",
    Ccpa => "ccpa",
});

impl Law {
    /// The law's usual short name.
    pub fn title(self) -> &'static str {
        match self {
            Self::Gdpr => "GDPR",
            Self::Ccpa => "CCPA",
        }
    }
}

words!(Disclosure {
    Data => "data",
    Categories => "categories",
    Sources => "sources",
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operation_survives_being_taken_apart() {
        let mut operations = vec![
            Operation::Export(RetrievalScope::Gdpr),
            Operation::Delete(Law::Gdpr),
            Operation::Delete(Law::Ccpa),
        ];
        for disclosure in [
            Disclosure::Data,
            Disclosure::Categories,
            Disclosure::Sources,
        ] {
            operations.push(Operation::Export(RetrievalScope::Ccpa(disclosure)));
        }
        for operation in operations {
            let back = Operation::from_parts(
                Kind::parse(operation.kind().as_str()).unwrap(),
                Law::parse(operation.law().as_str()).unwrap(),
                operation
                    .disclosure()
                    .map(|d| Disclosure::parse(d.as_str()).unwrap()),
            );
            assert_eq!(back, Some(operation));
        }
    }

    #[test]
    fn a_deletion_has_no_disclosure() {
        let disclosure = Some(Disclosure::Data);
        assert_eq!(
            Operation::from_parts(Kind::Delete, Law::Ccpa, disclosure),
            None
        );
    }
}
