use super::id_form::Extent;
use crate::domain::{FormMap, IdHasher};

/// Finds a known id that nearly equals another one, by their folded forms. Keeps only hashes of the
/// forms.
#[derive(Debug)]
pub struct NearIndex<V> {
    forms: FormMap<(Extent, V)>,
}

impl<V> NearIndex<V> {
    pub fn new(hasher: IdHasher) -> Self {
        Self {
            forms: FormMap::new(hasher),
        }
    }

    /// How many forms are known.
    pub fn count(&self) -> usize {
        self.forms.count()
    }

    /// Adds a form. The first id of a form stays, but a whole id replaces a part.
    pub fn add(&mut self, form: &str, extent: Extent, new: impl Fn() -> V) {
        let known = self.forms.entry(form);
        let known = known.or_insert_with(|| (extent, new()));
        if (known.0, extent) == (Extent::Part, Extent::Whole) {
            *known = (extent, new());
        }
    }

    /// The known id with this form. Two ids that share only a part are different people: `Jo Hill`
    /// and `Jo Dale`.
    pub fn find(&self, form: &str, extent: Extent) -> Option<&(Extent, V)> {
        let known = self.forms.get(form)?;
        [known.0, extent].contains(&Extent::Whole).then_some(known)
    }
}
