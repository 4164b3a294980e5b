//! The run's settings from the environment, the config file and flags, each value with its origin.
//! Only this module reads the environment. It reads nothing from the working directory.

mod actor;
mod company;
mod durable;
mod environment;
mod home;
mod private;
mod projects_file;
mod resolve;
mod settings;
mod unfinished;

pub use actor::find_actor;
pub use company::Company;
pub use durable::{folder_of, replace, sync_file, sync_folder_of};
pub use environment::{Environment, EnvironmentError, Proxy, VARIABLES};
pub use home::{Home, create_private_folder, home_passfile, own_man_folder, private_file};
pub use private::{
    NotPrivate, group_with_access, is_open_to_others, keep_files_private, refuse_shared_file,
    refuse_shared_folder, refuse_shared_home, volume_group,
};
pub use projects_file::{Day, ProjectEntry, ProjectsFile, ProjectsFileError};
pub use resolve::{Mode, Origin, ResolveError, Resolved, resolve};
pub use unfinished::{UnfinishedFolder, UnplacedFile, begin_file, begin_folder, sweep_unfinished};
