//! Looks values up in files of profiles, and reads the other ids of each person from identities.

use std::path::PathBuf;

use crate::commands::context::Context;
use crate::commands::failures::lookup_failure;
use crate::intake::{
    Profile, RecordsRead, Source, demand_rereadable, read_identities, read_profiles,
};
use crate::ui::{Failure, LookupOrigin, reading};
use crate::workflow::Lookup;

use super::LookupArgs;

/// The files of one lookup.
pub(super) struct LookupFiles {
    profiles: Vec<Source>,
    identities: Vec<Source>,
}

impl LookupFiles {
    /// # Errors
    /// When a file must be read several times and cannot.
    pub(super) fn of(
        ctx: &Context,
        args: &LookupArgs,
        sources: &[Source],
    ) -> Result<Self, Failure> {
        let files = |paths: &[PathBuf]| -> Vec<Source> {
            paths.iter().map(|path| Source::from_path(path)).collect()
        };
        let (profiles, identities) = (files(&args.profiles), files(&args.identities));
        for label in Source::find_repeated(&[sources, &profiles].concat())? {
            ctx.ui
                .warn("repeated_source", &format!("{label} is named twice"));
        }
        if !identities.is_empty() {
            demand_rereadable(&[&profiles[..], &identities].concat()).map_err(lookup_failure)?;
        }
        Ok(Self {
            profiles,
            identities,
        })
    }

    /// Reads the files, and passes the profiles and identities to the lookup.
    pub(super) fn find(
        &self,
        ctx: &Context,
        property: &str,
        lookup: &mut Lookup,
    ) -> Result<LookupOrigin, Failure> {
        let mut take = |profile: &Profile<'_>| lookup.take(profile);
        let profiles = self.read(ctx, property, &mut take)?;
        let identities = self.join(ctx, lookup)?;
        if identities.is_some() {
            let mut note = |profile: &Profile<'_>| lookup.note_profile(profile.id);
            self.read(ctx, property, &mut note)?;
        }
        warn_of_unended(ctx, Some(&profiles));
        warn_of_unended(ctx, identities.as_ref());
        Ok(LookupOrigin::Files {
            profiles,
            identities,
        })
    }

    fn read(
        &self,
        ctx: &Context,
        property: &str,
        take: &mut dyn FnMut(&Profile<'_>),
    ) -> Result<RecordsRead, Failure> {
        let mut progress = reading(&ctx.ui);
        let read = read_profiles(&self.profiles, property, take, &mut progress);
        drop(progress);
        read.map_err(lookup_failure)
    }

    /// Reads the identities without a person, so that damage shows before anybody is asked.
    pub(super) fn demand_identities(&self, ctx: &Context) -> Result<(), Failure> {
        let mut progress = reading(&ctx.ui);
        let read = read_identities(&self.identities, &mut |_| false, &mut progress);
        drop(progress);
        read.map(drop).map_err(lookup_failure)
    }

    /// Reads the identities again and again, until a pass finds no new id.
    pub(super) fn join(
        &self,
        ctx: &Context,
        lookup: &mut Lookup,
    ) -> Result<Option<RecordsRead>, Failure> {
        if self.identities.is_empty() {
            return Ok(None);
        }
        lookup.begin_pass();
        loop {
            let mut progress = reading(&ctx.ui);
            let mut join = |one: &_| lookup.join(one);
            let read = read_identities(&self.identities, &mut join, &mut progress);
            drop(progress);
            let read = read.map_err(lookup_failure)?;
            if !lookup.begin_pass() {
                return Ok(Some(read));
            }
        }
    }
}

pub(super) fn warn_of_unended(ctx: &Context, read: Option<&RecordsRead>) {
    for label in read.into_iter().flat_map(|read| &read.unended) {
        ctx.ui.warn(
            "no_line_end",
            &format!(
                "the last line of {label} has no line end: make sure that the file is not cut off"
            ),
        );
    }
}
