//! dsr on a terminal of its own: what a person sees and types.

use std::io::Write;
use std::process::Command;
use std::time::{Duration, Instant};

use expectrl::process::unix::WaitStatus;
use expectrl::session::OsSession;
use expectrl::{Eof, Expect, Session};

use super::running::signal;

const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct Terminal {
    session: OsSession,
    screen: Vec<u8>,
}

impl Terminal {
    pub(crate) fn start(command: Command) -> Self {
        let mut session = Session::spawn(command).expect("dsr can be started on a terminal");
        session.set_expect_timeout(Some(PATIENCE));
        Self {
            session,
            screen: Vec::new(),
        }
    }

    /// Sets the screen's width. It starts with 80 columns, set at a moment that the program cannot
    /// know.
    pub(crate) fn becomes_wide(&mut self, columns: u16) {
        let process = self.session.get_process_mut();
        let changed = process.set_window_size(columns, 24);
        changed.expect("a terminal has a size");
    }

    #[track_caller]
    pub(crate) fn sees(&mut self, text: &str) {
        self.reads_to(text);
    }

    /// Like `sees`; returns the text since the last wait, without `text`.
    #[track_caller]
    pub(crate) fn reads_to(&mut self, text: &str) -> String {
        match self.session.expect(text) {
            Ok(found) => {
                self.screen.extend_from_slice(found.as_bytes());
                String::from_utf8_lossy(found.before()).into_owned()
            }
            Err(error) => panic!(
                "`{text}` is not on the screen ({error}):\n{}",
                self.screen()
            ),
        }
    }

    /// Types a line that the terminal echoes.
    pub(crate) fn types(&mut self, line: &str) {
        self.session.send_line(line).expect("a terminal takes text");
    }

    pub(crate) fn types_keys(&mut self, keys: &[u8]) {
        self.session.write_all(keys).expect("a terminal takes keys");
        self.session.flush().expect("a terminal takes keys");
    }

    pub(crate) fn types_interrupt(&mut self) {
        self.session.write_all(&[3]).expect("a terminal takes keys");
        self.session.flush().expect("a terminal takes keys");
    }

    pub(crate) fn signal(&self, name: &str) {
        signal(&self.session.get_process().pid().to_string(), name);
    }

    /// Whether the terminal shows what is typed.
    pub(crate) fn echoes(&self) -> bool {
        let echo = self.session.get_process().get_echo();
        echo.expect("a terminal can be asked")
    }

    /// Ends the input, as Ctrl-D does.
    pub(crate) fn types_end(&mut self) {
        let end = self.session.get_process().get_eof_char();
        self.session
            .write_all(&[end])
            .expect("a terminal takes keys");
        self.session.flush().expect("a terminal takes keys");
    }

    /// Types a line once the terminal has stopped its echo.
    #[track_caller]
    pub(crate) fn types_hidden(&mut self, line: &str) {
        self.stops_echoing();
        self.types(line);
    }

    #[track_caller]
    pub(crate) fn stops_echoing(&mut self) {
        let start = Instant::now();
        while self.echoes() {
            assert!(
                start.elapsed() < PATIENCE,
                "what is typed is shown:\n{}",
                self.screen()
            );
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits for the end; returns the exit status and everything that was on the screen.
    #[track_caller]
    pub(crate) fn ends(mut self) -> (i32, String) {
        let status = self.end();
        (status, self.screen())
    }

    /// Waits for the end; returns the exit status. The terminal stays.
    #[track_caller]
    pub(crate) fn end(&mut self) -> i32 {
        match self.session.expect(Eof) {
            Ok(rest) => self.screen.extend_from_slice(rest.as_bytes()),
            Err(error) => panic!("it does not end ({error}):\n{}", self.screen()),
        }
        let status = self
            .session
            .get_process()
            .wait()
            .expect("a child can be waited for");
        match status {
            WaitStatus::Exited(_, code) => code,
            other => panic!("it ended by {other:?}:\n{}", self.screen()),
        }
    }

    fn screen(&self) -> String {
        String::from_utf8_lossy(&self.screen).into_owned()
    }
}
