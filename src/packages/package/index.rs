use std::path::Path;

use crate::document::defused;

use crate::packages::people::People;
use crate::packages::staging::create_file;
use crate::packages::{PackageReport, SplitError};

const INDEX: &str = "index.csv";

/// Writes the operator's list of people and packages, in the order of the request.
pub(crate) fn write(
    root: &Path,
    people: &People<'_>,
    packages: &[PackageReport],
) -> Result<(), SplitError> {
    let path = root.join(INDEX);
    let mut table = csv::Writer::from_writer(create_file(&path)?);
    let failed = |error: csv::Error| SplitError::write(&path)(error.into());
    let heading = [
        "folder",
        "distinct_id",
        "events",
        "profiles",
        "other_records",
        "categories",
        "bytes",
    ];
    table.write_record(heading).map_err(failed)?;
    for (person, package) in packages.iter().enumerate() {
        let numbers = [
            package.events,
            package.profiles,
            package.others,
            package.categories,
            package.bytes,
        ];
        let id = defused(people.id(person).expose());
        let row = [package.name.clone(), id].into_iter();
        table
            .write_record(row.chain(numbers.map(|number| number.to_string())))
            .map_err(failed)?;
    }
    table.flush().map_err(SplitError::write(&path))
}
