
using namespace System.Management.Automation
using namespace System.Management.Automation.Language

Register-ArgumentCompleter -Native -CommandName 'dsr' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $commandElements = $commandAst.CommandElements
    $command = @(
        'dsr'
        for ($i = 1; $i -lt $commandElements.Count; $i++) {
            $element = $commandElements[$i]
            if ($element -isnot [StringConstantExpressionAst] -or
                $element.StringConstantType -ne [StringConstantType]::BareWord -or
                $element.Value.StartsWith('-') -or
                $element.Value -eq $wordToComplete) {
                break
        }
        $element.Value
    }) -join ';'

    $completions = @(switch ($command) {
        'dsr' {
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('--project', '--project', [CompletionResultType]::ParameterName, 'The project to work on; several are worked on one beside the other')
            [CompletionResult]::new('--lock-timeout', '--lock-timeout', [CompletionResultType]::ParameterName, 'How long to wait for another dsr that holds the ledger')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print JSON: one object on stdout, a failure as one object on stderr')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing beside the result, warnings and failures')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing beside the result, warnings and failures')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on stderr: -v what is done, -vv each call, -vvv everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on stderr: -v what is done, -vv each call, -vvv everything')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask; fail instead')
            [CompletionResult]::new('--sandbox', '--sandbox', [CompletionResultType]::ParameterName, 'Rehearse against the built-in sandbox: no account, no network, nothing real')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('export', 'export', [CompletionResultType]::ParameterValue, 'Export what Mixpanel holds on the listed people')
            [CompletionResult]::new('delete', 'delete', [CompletionResultType]::ParameterValue, 'Erase the data of the listed people')
            [CompletionResult]::new('status', 'status', [CompletionResultType]::ParameterValue, 'Show how requests stand')
            [CompletionResult]::new('resume', 'resume', [CompletionResultType]::ParameterValue, 'Go on with what was interrupted, deferred or is unknown')
            [CompletionResult]::new('cancel', 'cancel', [CompletionResultType]::ParameterValue, 'Cancel deletions that Mixpanel has not started')
            [CompletionResult]::new('extend', 'extend', [CompletionResultType]::ParameterValue, 'Take the law''s further time to answer a request')
            [CompletionResult]::new('download', 'download', [CompletionResultType]::ParameterValue, 'Fetch finished exports, and split them into a package for each person')
            [CompletionResult]::new('find', 'find', [CompletionResultType]::ParameterValue, 'Tell whether people were exported or erased: when, and under which task')
            [CompletionResult]::new('purge', 'purge', [CompletionResultType]::ParameterValue, 'Remove the records of requests that were closed long ago')
            [CompletionResult]::new('audit', 'audit', [CompletionResultType]::ParameterValue, 'Read and verify the audit trail: who did what, and when')
            [CompletionResult]::new('auth', 'auth', [CompletionResultType]::ParameterValue, 'Keep, show or forget OAuth tokens, or a key of hashed ids')
            [CompletionResult]::new('project', 'project', [CompletionResultType]::ParameterValue, 'Set up the Mixpanel projects to work on')
            [CompletionResult]::new('doctor', 'doctor', [CompletionResultType]::ParameterValue, 'Check tokens, keyring, projects, ledger, clock and network, and say what to fix')
            [CompletionResult]::new('guide', 'guide', [CompletionResultType]::ParameterValue, 'How to stop Mixpanel''s SDKs from collecting data')
            [CompletionResult]::new('sandbox', 'sandbox', [CompletionResultType]::ParameterValue, 'Serve the sandbox on loopback: a stand-in for Mixpanel''s GDPR API')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Print the completion script of a shell')
            [CompletionResult]::new('exit-status', 'exit-status', [CompletionResultType]::ParameterValue, 'What each exit status means; stable, for scripts')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'dsr;export' {
            [CompletionResult]::new('--disclosure', '--disclosure', [CompletionResultType]::ParameterName, 'What a CCPA export discloses [default: data]')
            [CompletionResult]::new('--file', '--file', [CompletionResultType]::ParameterName, 'A file, whatever its name looks like')
            [CompletionResult]::new('--id', '--id', [CompletionResultType]::ParameterName, 'One distinct_id, whatever it looks like')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How files and standard input are read [default: recognised]')
            [CompletionResult]::new('--column', '--column', [CompletionResultType]::ParameterName, 'The column that holds the ids: its name, or its number counted from 1; in JSON the key, or OUTER.KEY')
            [CompletionResult]::new('--delimiter', '--delimiter', [CompletionResultType]::ParameterName, 'What parts the fields: one character, or `tab` [default: recognised]')
            [CompletionResult]::new('--encoding', '--encoding', [CompletionResultType]::ParameterName, 'The encoding of text without a byte order mark, such as `windows-1252` [default: utf-8]')
            [CompletionResult]::new('--allow', '--allow', [CompletionResultType]::ParameterName, 'Take this very value for an id, whatever it looks like; may be given several times')
            [CompletionResult]::new('--expect-pattern', '--expect-pattern', [CompletionResultType]::ParameterName, 'Refuse ids that this regular expression does not match whole, such as `user-\d{6}`')
            [CompletionResult]::new('--hash', '--hash', [CompletionResultType]::ParameterName, 'Hash each value, and send the hash as small hex digits in its place')
            [CompletionResult]::new('--hash-key-file', '--hash-key-file', [CompletionResultType]::ParameterName, 'The key of HMAC: a file that only its owner can read [default: the keyring''s]')
            [CompletionResult]::new('--hash-prefix', '--hash-prefix', [CompletionResultType]::ParameterName, 'Put this before the hex digits')
            [CompletionResult]::new('--exclude', '--exclude', [CompletionResultType]::ParameterName, 'Leave out the ids in this file, such as those under legal hold; read as the sources are')
            [CompletionResult]::new('--expect', '--expect', [CompletionResultType]::ParameterName, 'Refuse unless there are exactly N unique ids, the excluded ones not counted')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Give up waiting after this long, such as `90s`, `2h` or `3days`')
            [CompletionResult]::new('--max-wait', '--max-wait', [CompletionResultType]::ParameterName, 'How long to wait out Mixpanel''s rate limit before leaving the rest for `dsr resume`')
            [CompletionResult]::new('--ref', '--ref', [CompletionResultType]::ParameterName, 'Your own ticket number, recorded with the request')
            [CompletionResult]::new('--received', '--received', [CompletionResultType]::ParameterName, 'The day the person asked; the legal clock starts there [default: today]')
            [CompletionResult]::new('--download', '--download', [CompletionResultType]::ParameterName, 'With --wait, fetch each finished export into this folder, as `dsr download --to DIR` does')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('--project', '--project', [CompletionResultType]::ParameterName, 'The project to work on; several are worked on one beside the other')
            [CompletionResult]::new('--lock-timeout', '--lock-timeout', [CompletionResultType]::ParameterName, 'How long to wait for another dsr that holds the ledger')
            [CompletionResult]::new('--gdpr', '--gdpr', [CompletionResultType]::ParameterName, 'Under the GDPR')
            [CompletionResult]::new('--ccpa', '--ccpa', [CompletionResultType]::ParameterName, 'Under the CCPA')
            [CompletionResult]::new('--no-header', '--no-header', [CompletionResultType]::ParameterName, 'The first line is an id already, not a heading')
            [CompletionResult]::new('--trim', '--trim', [CompletionResultType]::ParameterName, 'Drop white space around ids, in place of refusing them')
            [CompletionResult]::new('--keep-whitespace', '--keep-whitespace', [CompletionResultType]::ParameterName, 'Keep white space around ids: Mixpanel has them so')
            [CompletionResult]::new('--show-warnings', '--show-warnings', [CompletionResultType]::ParameterName, 'List each line that is warned of')
            [CompletionResult]::new('--hash-lowercase', '--hash-lowercase', [CompletionResultType]::ParameterName, 'Lower-case each value first, by Unicode''s rules, as toLowerCase of JavaScript does')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Show what would be done, and send nothing')
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'Follow the jobs to their end')
            [CompletionResult]::new('--new', '--new', [CompletionResultType]::ParameterName, 'Start a second request although an open one asks for the very same')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print JSON: one object on stdout, a failure as one object on stderr')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing beside the result, warnings and failures')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing beside the result, warnings and failures')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on stderr: -v what is done, -vv each call, -vvv everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on stderr: -v what is done, -vv each call, -vvv everything')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask; fail instead')
            [CompletionResult]::new('--sandbox', '--sandbox', [CompletionResultType]::ParameterName, 'Rehearse against the built-in sandbox: no account, no network, nothing real')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'dsr;delete' {
            [CompletionResult]::new('--disclosure', '--disclosure', [CompletionResultType]::ParameterName, 'disclosure')
            [CompletionResult]::new('--file', '--file', [CompletionResultType]::ParameterName, 'A file, whatever its name looks like')
            [CompletionResult]::new('--id', '--id', [CompletionResultType]::ParameterName, 'One distinct_id, whatever it looks like')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How files and standard input are read [default: recognised]')
            [CompletionResult]::new('--column', '--column', [CompletionResultType]::ParameterName, 'The column that holds the ids: its name, or its number counted from 1; in JSON the key, or OUTER.KEY')
            [CompletionResult]::new('--delimiter', '--delimiter', [CompletionResultType]::ParameterName, 'What parts the fields: one character, or `tab` [default: recognised]')
            [CompletionResult]::new('--encoding', '--encoding', [CompletionResultType]::ParameterName, 'The encoding of text without a byte order mark, such as `windows-1252` [default: utf-8]')
            [CompletionResult]::new('--allow', '--allow', [CompletionResultType]::ParameterName, 'Take this very value for an id, whatever it looks like; may be given several times')
            [CompletionResult]::new('--expect-pattern', '--expect-pattern', [CompletionResultType]::ParameterName, 'Refuse ids that this regular expression does not match whole, such as `user-\d{6}`')
            [CompletionResult]::new('--hash', '--hash', [CompletionResultType]::ParameterName, 'Hash each value, and send the hash as small hex digits in its place')
            [CompletionResult]::new('--hash-key-file', '--hash-key-file', [CompletionResultType]::ParameterName, 'The key of HMAC: a file that only its owner can read [default: the keyring''s]')
            [CompletionResult]::new('--hash-prefix', '--hash-prefix', [CompletionResultType]::ParameterName, 'Put this before the hex digits')
            [CompletionResult]::new('--exclude', '--exclude', [CompletionResultType]::ParameterName, 'Leave out the ids in this file, such as those under legal hold; read as the sources are')
            [CompletionResult]::new('--expect', '--expect', [CompletionResultType]::ParameterName, 'Refuse unless there are exactly N unique ids, the excluded ones not counted')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Give up waiting after this long, such as `90s`, `2h` or `3days`')
            [CompletionResult]::new('--max-wait', '--max-wait', [CompletionResultType]::ParameterName, 'How long to wait out Mixpanel''s rate limit before leaving the rest for `dsr resume`')
            [CompletionResult]::new('--ref', '--ref', [CompletionResultType]::ParameterName, 'Your own ticket number, recorded with the request')
            [CompletionResult]::new('--received', '--received', [CompletionResultType]::ParameterName, 'The day the person asked; the legal clock starts there [default: today]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('--project', '--project', [CompletionResultType]::ParameterName, 'The project to work on; several are worked on one beside the other')
            [CompletionResult]::new('--lock-timeout', '--lock-timeout', [CompletionResultType]::ParameterName, 'How long to wait for another dsr that holds the ledger')
            [CompletionResult]::new('--gdpr', '--gdpr', [CompletionResultType]::ParameterName, 'Under the GDPR')
            [CompletionResult]::new('--ccpa', '--ccpa', [CompletionResultType]::ParameterName, 'Under the CCPA')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Do not ask for confirmation')
            [CompletionResult]::new('--no-header', '--no-header', [CompletionResultType]::ParameterName, 'The first line is an id already, not a heading')
            [CompletionResult]::new('--trim', '--trim', [CompletionResultType]::ParameterName, 'Drop white space around ids, in place of refusing them')
            [CompletionResult]::new('--keep-whitespace', '--keep-whitespace', [CompletionResultType]::ParameterName, 'Keep white space around ids: Mixpanel has them so')
            [CompletionResult]::new('--show-warnings', '--show-warnings', [CompletionResultType]::ParameterName, 'List each line that is warned of')
            [CompletionResult]::new('--hash-lowercase', '--hash-lowercase', [CompletionResultType]::ParameterName, 'Lower-case each value first, by Unicode''s rules, as toLowerCase of JavaScript does')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Show what would be done, and send nothing')
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'Follow the jobs to their end')
            [CompletionResult]::new('--new', '--new', [CompletionResultType]::ParameterName, 'Start a second request although an open one asks for the very same')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print JSON: one object on stdout, a failure as one object on stderr')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing beside the result, warnings and failures')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing beside the result, warnings and failures')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on stderr: -v what is done, -vv each call, -vvv everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on stderr: -v what is done, -vv each call, -vvv everything')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask; fail instead')
            [CompletionResult]::new('--sandbox', '--sandbox', [CompletionResultType]::ParameterName, 'Rehearse against the built-in sandbox: no account, no network, nothing real')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'dsr;status' {
            [CompletionResult]::new('--ask-for', '--ask-for', [CompletionResultType]::ParameterName, 'Ask about what is due for this long at most, such as `30s` or `10m` [default: 5s, or not at all where that is no more than a beginning]')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Give up watching after this long, such as `90s`, `2h` or `3days`')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('--project', '--project', [CompletionResultType]::ParameterName, 'The project to work on; several are worked on one beside the other')
            [CompletionResult]::new('--lock-timeout', '--lock-timeout', [CompletionResultType]::ParameterName, 'How long to wait for another dsr that holds the ledger')
            [CompletionResult]::new('--cached', '--cached', [CompletionResultType]::ParameterName, 'Show what the ledger knows; ask nobody')
            [CompletionResult]::new('--refresh', '--refresh', [CompletionResultType]::ParameterName, 'Ask about every open job, due or not, however long it takes')
            [CompletionResult]::new('--watch', '--watch', [CompletionResultType]::ParameterName, 'Go on until all jobs have ended: on a terminal as a picture that is drawn anew, elsewhere as one JSON object a line for each change, and all of it at the end')
            [CompletionResult]::new('--changes', '--changes', [CompletionResultType]::ParameterName, 'Show only the jobs that stand otherwise than at the last look with --changes; nothing if there is none')
            [CompletionResult]::new('--exit-status', '--exit-status', [CompletionResultType]::ParameterName, 'Tell by the exit status how the requests stand: 6, 7, 3, 9, 75 or 8; see `dsr help exit-status`')
            [CompletionResult]::new('--all', '--all', [CompletionResultType]::ParameterName, 'List closed requests, too')
            [CompletionResult]::new('--show-ids', '--show-ids', [CompletionResultType]::ParameterName, 'Show the distinct_ids of a request''s jobs, as far as they are still kept; ask nobody')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print JSON: one object on stdout, a failure as one object on stderr')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing beside the result, warnings and failures')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing beside the result, warnings and failures')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on stderr: -v what is done, -vv each call, -vvv everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on stderr: -v what is done, -vv each call, -vvv everything')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask; fail instead')
            [CompletionResult]::new('--sandbox', '--sandbox', [CompletionResultType]::ParameterName, 'Rehearse against the built-in sandbox: no account, no network, nothing real')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'dsr;resume' {
            [CompletionResult]::new('--max-wait', '--max-wait', [CompletionResultType]::ParameterName, 'How long to wait out Mixpanel''s rate limit before leaving the rest for `dsr resume`')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Give up waiting after this long, such as `90s`, `2h` or `3days`')
            [CompletionResult]::new('--task', '--task', [CompletionResultType]::ParameterName, 'The unknown job became this task: Mixpanel is asked about it')
            [CompletionResult]::new('--job', '--job', [CompletionResultType]::ParameterName, 'Which unknown job is meant, by its number, where there are several')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('--project', '--project', [CompletionResultType]::ParameterName, 'The project to work on; several are worked on one beside the other')
            [CompletionResult]::new('--lock-timeout', '--lock-timeout', [CompletionResultType]::ParameterName, 'How long to wait for another dsr that holds the ledger')
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'Follow the jobs to their end')
            [CompletionResult]::new('--send-again', '--send-again', [CompletionResultType]::ParameterName, 'Send the unknown jobs again, although they may have been taken already')
            [CompletionResult]::new('--abandon', '--abandon', [CompletionResultType]::ParameterName, 'Give up on the unknown jobs: they are never sent again and stay unknown')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print JSON: one object on stdout, a failure as one object on stderr')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing beside the result, warnings and failures')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing beside the result, warnings and failures')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on stderr: -v what is done, -vv each call, -vvv everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on stderr: -v what is done, -vv each call, -vvv everything')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask; fail instead')
            [CompletionResult]::new('--sandbox', '--sandbox', [CompletionResultType]::ParameterName, 'Rehearse against the built-in sandbox: no account, no network, nothing real')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'dsr;cancel' {
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('--project', '--project', [CompletionResultType]::ParameterName, 'The project to work on; several are worked on one beside the other')
            [CompletionResult]::new('--lock-timeout', '--lock-timeout', [CompletionResultType]::ParameterName, 'How long to wait for another dsr that holds the ledger')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print JSON: one object on stdout, a failure as one object on stderr')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing beside the result, warnings and failures')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing beside the result, warnings and failures')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on stderr: -v what is done, -vv each call, -vvv everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on stderr: -v what is done, -vv each call, -vvv everything')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask; fail instead')
            [CompletionResult]::new('--sandbox', '--sandbox', [CompletionResultType]::ParameterName, 'Rehearse against the built-in sandbox: no account, no network, nothing real')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'dsr;extend' {
            [CompletionResult]::new('--reason', '--reason', [CompletionResultType]::ParameterName, 'Why it takes longer, as the person is told; kept in the ledger, so without personal data')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('--project', '--project', [CompletionResultType]::ParameterName, 'The project to work on; several are worked on one beside the other')
            [CompletionResult]::new('--lock-timeout', '--lock-timeout', [CompletionResultType]::ParameterName, 'How long to wait for another dsr that holds the ledger')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print JSON: one object on stdout, a failure as one object on stderr')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing beside the result, warnings and failures')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing beside the result, warnings and failures')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on stderr: -v what is done, -vv each call, -vvv everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on stderr: -v what is done, -vv each call, -vvv everything')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask; fail instead')
            [CompletionResult]::new('--sandbox', '--sandbox', [CompletionResultType]::ParameterName, 'Rehearse against the built-in sandbox: no account, no network, nothing real')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'dsr;download' {
            [CompletionResult]::new('--to', '--to', [CompletionResultType]::ParameterName, 'Where to put the archives [default: a folder dsr-REQUEST here]')
            [CompletionResult]::new('--ids', '--ids', [CompletionResultType]::ParameterName, 'Take the people from this file, read as the sources of `dsr export` are: for a request whose ids the ledger does not keep any more')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('--project', '--project', [CompletionResultType]::ParameterName, 'The project to work on; several are worked on one beside the other')
            [CompletionResult]::new('--lock-timeout', '--lock-timeout', [CompletionResultType]::ParameterName, 'How long to wait for another dsr that holds the ledger')
            [CompletionResult]::new('--again', '--again', [CompletionResultType]::ParameterName, 'Fetch again what was fetched before, such as an archive that was lost or damaged')
            [CompletionResult]::new('--split', '--split', [CompletionResultType]::ParameterName, 'Make a package for each person, in the folder ARCHIVE-packages beside each archive')
            [CompletionResult]::new('--zip', '--zip', [CompletionResultType]::ParameterName, 'Pack each person''s package into a zip')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print JSON: one object on stdout, a failure as one object on stderr')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing beside the result, warnings and failures')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing beside the result, warnings and failures')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on stderr: -v what is done, -vv each call, -vvv everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on stderr: -v what is done, -vv each call, -vvv everything')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask; fail instead')
            [CompletionResult]::new('--sandbox', '--sandbox', [CompletionResultType]::ParameterName, 'Rehearse against the built-in sandbox: no account, no network, nothing real')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'dsr;find' {
            [CompletionResult]::new('--file', '--file', [CompletionResultType]::ParameterName, 'A file, whatever its name looks like')
            [CompletionResult]::new('--id', '--id', [CompletionResultType]::ParameterName, 'One distinct_id, whatever it looks like')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How files and standard input are read [default: recognised]')
            [CompletionResult]::new('--column', '--column', [CompletionResultType]::ParameterName, 'The column that holds the ids: its name, or its number counted from 1; in JSON the key, or OUTER.KEY')
            [CompletionResult]::new('--delimiter', '--delimiter', [CompletionResultType]::ParameterName, 'What parts the fields: one character, or `tab` [default: recognised]')
            [CompletionResult]::new('--encoding', '--encoding', [CompletionResultType]::ParameterName, 'The encoding of text without a byte order mark, such as `windows-1252` [default: utf-8]')
            [CompletionResult]::new('--allow', '--allow', [CompletionResultType]::ParameterName, 'Take this very value for an id, whatever it looks like; may be given several times')
            [CompletionResult]::new('--expect-pattern', '--expect-pattern', [CompletionResultType]::ParameterName, 'Refuse ids that this regular expression does not match whole, such as `user-\d{6}`')
            [CompletionResult]::new('--hash', '--hash', [CompletionResultType]::ParameterName, 'Hash each value, and send the hash as small hex digits in its place')
            [CompletionResult]::new('--hash-key-file', '--hash-key-file', [CompletionResultType]::ParameterName, 'The key of HMAC: a file that only its owner can read [default: the keyring''s]')
            [CompletionResult]::new('--hash-prefix', '--hash-prefix', [CompletionResultType]::ParameterName, 'Put this before the hex digits')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('--project', '--project', [CompletionResultType]::ParameterName, 'The project to work on; several are worked on one beside the other')
            [CompletionResult]::new('--lock-timeout', '--lock-timeout', [CompletionResultType]::ParameterName, 'How long to wait for another dsr that holds the ledger')
            [CompletionResult]::new('--exit-status', '--exit-status', [CompletionResultType]::ParameterName, 'End with status 1 if somebody is not found')
            [CompletionResult]::new('--no-header', '--no-header', [CompletionResultType]::ParameterName, 'The first line is an id already, not a heading')
            [CompletionResult]::new('--trim', '--trim', [CompletionResultType]::ParameterName, 'Drop white space around ids, in place of refusing them')
            [CompletionResult]::new('--keep-whitespace', '--keep-whitespace', [CompletionResultType]::ParameterName, 'Keep white space around ids: Mixpanel has them so')
            [CompletionResult]::new('--show-warnings', '--show-warnings', [CompletionResultType]::ParameterName, 'List each line that is warned of')
            [CompletionResult]::new('--hash-lowercase', '--hash-lowercase', [CompletionResultType]::ParameterName, 'Lower-case each value first, by Unicode''s rules, as toLowerCase of JavaScript does')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print JSON: one object on stdout, a failure as one object on stderr')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing beside the result, warnings and failures')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing beside the result, warnings and failures')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on stderr: -v what is done, -vv each call, -vvv everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on stderr: -v what is done, -vv each call, -vvv everything')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask; fail instead')
            [CompletionResult]::new('--sandbox', '--sandbox', [CompletionResultType]::ParameterName, 'Rehearse against the built-in sandbox: no account, no network, nothing real')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'dsr;purge' {
            [CompletionResult]::new('--older-than', '--older-than', [CompletionResultType]::ParameterName, 'How long ago the requests were closed, such as `30months` or `3years`, or before which day')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('--project', '--project', [CompletionResultType]::ParameterName, 'The project to work on; several are worked on one beside the other')
            [CompletionResult]::new('--lock-timeout', '--lock-timeout', [CompletionResultType]::ParameterName, 'How long to wait for another dsr that holds the ledger')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Show what would go, and remove nothing')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Do not ask for confirmation')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print JSON: one object on stdout, a failure as one object on stderr')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing beside the result, warnings and failures')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing beside the result, warnings and failures')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on stderr: -v what is done, -vv each call, -vvv everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on stderr: -v what is done, -vv each call, -vvv everything')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask; fail instead')
            [CompletionResult]::new('--sandbox', '--sandbox', [CompletionResultType]::ParameterName, 'Rehearse against the built-in sandbox: no account, no network, nothing real')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'dsr;audit' {
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('--project', '--project', [CompletionResultType]::ParameterName, 'The project to work on; several are worked on one beside the other')
            [CompletionResult]::new('--lock-timeout', '--lock-timeout', [CompletionResultType]::ParameterName, 'How long to wait for another dsr that holds the ledger')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print JSON: one object on stdout, a failure as one object on stderr')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing beside the result, warnings and failures')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing beside the result, warnings and failures')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on stderr: -v what is done, -vv each call, -vvv everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on stderr: -v what is done, -vv each call, -vvv everything')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask; fail instead')
            [CompletionResult]::new('--sandbox', '--sandbox', [CompletionResultType]::ParameterName, 'Rehearse against the built-in sandbox: no account, no network, nothing real')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('verify', 'verify', [CompletionResultType]::ParameterValue, 'Read the whole trail, and tell what does not fit')
            [CompletionResult]::new('head', 'head', [CompletionResultType]::ParameterValue, 'Print how far the trail goes, in one line: what to keep elsewhere')
            [CompletionResult]::new('log', 'log', [CompletionResultType]::ParameterValue, 'Show entries of the trail: all of one request, or the last ones')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'dsr;audit;verify' {
            [CompletionResult]::new('--head', '--head', [CompletionResultType]::ParameterName, 'A head that was kept elsewhere, or a file of such lines, or `-`; may be given several times')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('--project', '--project', [CompletionResultType]::ParameterName, 'The project to work on; several are worked on one beside the other')
            [CompletionResult]::new('--lock-timeout', '--lock-timeout', [CompletionResultType]::ParameterName, 'How long to wait for another dsr that holds the ledger')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print JSON: one object on stdout, a failure as one object on stderr')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing beside the result, warnings and failures')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing beside the result, warnings and failures')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on stderr: -v what is done, -vv each call, -vvv everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on stderr: -v what is done, -vv each call, -vvv everything')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask; fail instead')
            [CompletionResult]::new('--sandbox', '--sandbox', [CompletionResultType]::ParameterName, 'Rehearse against the built-in sandbox: no account, no network, nothing real')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'dsr;audit;head' {
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('--project', '--project', [CompletionResultType]::ParameterName, 'The project to work on; several are worked on one beside the other')
            [CompletionResult]::new('--lock-timeout', '--lock-timeout', [CompletionResultType]::ParameterName, 'How long to wait for another dsr that holds the ledger')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print JSON: one object on stdout, a failure as one object on stderr')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing beside the result, warnings and failures')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing beside the result, warnings and failures')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on stderr: -v what is done, -vv each call, -vvv everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on stderr: -v what is done, -vv each call, -vvv everything')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask; fail instead')
            [CompletionResult]::new('--sandbox', '--sandbox', [CompletionResultType]::ParameterName, 'Rehearse against the built-in sandbox: no account, no network, nothing real')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'dsr;audit;log' {
            [CompletionResult]::new('--last', '--last', [CompletionResultType]::ParameterName, 'How many of the last entries to show')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('--project', '--project', [CompletionResultType]::ParameterName, 'The project to work on; several are worked on one beside the other')
            [CompletionResult]::new('--lock-timeout', '--lock-timeout', [CompletionResultType]::ParameterName, 'How long to wait for another dsr that holds the ledger')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print JSON: one object on stdout, a failure as one object on stderr')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing beside the result, warnings and failures')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing beside the result, warnings and failures')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on stderr: -v what is done, -vv each call, -vvv everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on stderr: -v what is done, -vv each call, -vvv everything')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask; fail instead')
            [CompletionResult]::new('--sandbox', '--sandbox', [CompletionResultType]::ParameterName, 'Rehearse against the built-in sandbox: no account, no network, nothing real')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'dsr;audit;help' {
            [CompletionResult]::new('verify', 'verify', [CompletionResultType]::ParameterValue, 'Read the whole trail, and tell what does not fit')
            [CompletionResult]::new('head', 'head', [CompletionResultType]::ParameterValue, 'Print how far the trail goes, in one line: what to keep elsewhere')
            [CompletionResult]::new('log', 'log', [CompletionResultType]::ParameterValue, 'Show entries of the trail: all of one request, or the last ones')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'dsr;audit;help;verify' {
            break
        }
        'dsr;audit;help;head' {
            break
        }
        'dsr;audit;help;log' {
            break
        }
        'dsr;audit;help;help' {
            break
        }
        'dsr;auth' {
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('--project', '--project', [CompletionResultType]::ParameterName, 'The project to work on; several are worked on one beside the other')
            [CompletionResult]::new('--lock-timeout', '--lock-timeout', [CompletionResultType]::ParameterName, 'How long to wait for another dsr that holds the ledger')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print JSON: one object on stdout, a failure as one object on stderr')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing beside the result, warnings and failures')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing beside the result, warnings and failures')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on stderr: -v what is done, -vv each call, -vvv everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on stderr: -v what is done, -vv each call, -vvv everything')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask; fail instead')
            [CompletionResult]::new('--sandbox', '--sandbox', [CompletionResultType]::ParameterName, 'Rehearse against the built-in sandbox: no account, no network, nothing real')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('login', 'login', [CompletionResultType]::ParameterValue, 'Keep a token in the keyring, in place of the one of the same name')
            [CompletionResult]::new('status', 'status', [CompletionResultType]::ParameterValue, 'Show where tokens come from, how long they are good for, and whether Mixpanel turned one away')
            [CompletionResult]::new('use', 'use', [CompletionResultType]::ParameterValue, 'Make a token that of all projects that name none')
            [CompletionResult]::new('logout', 'logout', [CompletionResultType]::ParameterValue, 'Forget a token in the keyring')
            [CompletionResult]::new('hash-key', 'hash-key', [CompletionResultType]::ParameterValue, 'Keep the key of `--hash hmac-sha256` in the keyring')
            [CompletionResult]::new('ledger-key', 'ledger-key', [CompletionResultType]::ParameterValue, 'Show where the key of the ledger''s hashed ids is, or carry it elsewhere')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'dsr;auth;login' {
            [CompletionResult]::new('--name', '--name', [CompletionResultType]::ParameterName, 'What to call it, where there are several: letters, digits, `-`, `_`, `.` [default: main]')
            [CompletionResult]::new('--issued', '--issued', [CompletionResultType]::ParameterName, 'The day the token was made; it is good for a year from then [default: today]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('--project', '--project', [CompletionResultType]::ParameterName, 'The project to work on; several are worked on one beside the other')
            [CompletionResult]::new('--lock-timeout', '--lock-timeout', [CompletionResultType]::ParameterName, 'How long to wait for another dsr that holds the ledger')
            [CompletionResult]::new('--with-token', '--with-token', [CompletionResultType]::ParameterName, 'Read the token from standard input')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print JSON: one object on stdout, a failure as one object on stderr')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing beside the result, warnings and failures')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing beside the result, warnings and failures')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on stderr: -v what is done, -vv each call, -vvv everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on stderr: -v what is done, -vv each call, -vvv everything')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask; fail instead')
            [CompletionResult]::new('--sandbox', '--sandbox', [CompletionResultType]::ParameterName, 'Rehearse against the built-in sandbox: no account, no network, nothing real')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'dsr;auth;status' {
            [CompletionResult]::new('--warn-days', '--warn-days', [CompletionResultType]::ParameterName, 'From how many days before its end a token is told of')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('--project', '--project', [CompletionResultType]::ParameterName, 'The project to work on; several are worked on one beside the other')
            [CompletionResult]::new('--lock-timeout', '--lock-timeout', [CompletionResultType]::ParameterName, 'How long to wait for another dsr that holds the ledger')
            [CompletionResult]::new('--exit-status', '--exit-status', [CompletionResultType]::ParameterName, 'End with status 4 as well if any token expires within `--warn-days`, or on a day nobody knows')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print JSON: one object on stdout, a failure as one object on stderr')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing beside the result, warnings and failures')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing beside the result, warnings and failures')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on stderr: -v what is done, -vv each call, -vvv everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on stderr: -v what is done, -vv each call, -vvv everything')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask; fail instead')
            [CompletionResult]::new('--sandbox', '--sandbox', [CompletionResultType]::ParameterName, 'Rehearse against the built-in sandbox: no account, no network, nothing real')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'dsr;auth;use' {
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('--project', '--project', [CompletionResultType]::ParameterName, 'The project to work on; several are worked on one beside the other')
            [CompletionResult]::new('--lock-timeout', '--lock-timeout', [CompletionResultType]::ParameterName, 'How long to wait for another dsr that holds the ledger')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print JSON: one object on stdout, a failure as one object on stderr')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing beside the result, warnings and failures')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing beside the result, warnings and failures')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on stderr: -v what is done, -vv each call, -vvv everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on stderr: -v what is done, -vv each call, -vvv everything')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask; fail instead')
            [CompletionResult]::new('--sandbox', '--sandbox', [CompletionResultType]::ParameterName, 'Rehearse against the built-in sandbox: no account, no network, nothing real')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'dsr;auth;logout' {
            [CompletionResult]::new('--name', '--name', [CompletionResultType]::ParameterName, 'Which one, where there are several')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('--project', '--project', [CompletionResultType]::ParameterName, 'The project to work on; several are worked on one beside the other')
            [CompletionResult]::new('--lock-timeout', '--lock-timeout', [CompletionResultType]::ParameterName, 'How long to wait for another dsr that holds the ledger')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print JSON: one object on stdout, a failure as one object on stderr')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing beside the result, warnings and failures')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing beside the result, warnings and failures')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on stderr: -v what is done, -vv each call, -vvv everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on stderr: -v what is done, -vv each call, -vvv everything')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask; fail instead')
            [CompletionResult]::new('--sandbox', '--sandbox', [CompletionResultType]::ParameterName, 'Rehearse against the built-in sandbox: no account, no network, nothing real')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'dsr;auth;hash-key' {
            [CompletionResult]::new('--file', '--file', [CompletionResultType]::ParameterName, 'Read the key from a file that only its owner can read')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('--project', '--project', [CompletionResultType]::ParameterName, 'The project to work on; several are worked on one beside the other')
            [CompletionResult]::new('--lock-timeout', '--lock-timeout', [CompletionResultType]::ParameterName, 'How long to wait for another dsr that holds the ledger')
            [CompletionResult]::new('--with-key', '--with-key', [CompletionResultType]::ParameterName, 'Read the key, a line of text, from standard input')
            [CompletionResult]::new('--remove', '--remove', [CompletionResultType]::ParameterName, 'Forget the key')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print JSON: one object on stdout, a failure as one object on stderr')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing beside the result, warnings and failures')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing beside the result, warnings and failures')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on stderr: -v what is done, -vv each call, -vvv everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on stderr: -v what is done, -vv each call, -vvv everything')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask; fail instead')
            [CompletionResult]::new('--sandbox', '--sandbox', [CompletionResultType]::ParameterName, 'Rehearse against the built-in sandbox: no account, no network, nothing real')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'dsr;auth;ledger-key' {
            [CompletionResult]::new('--to', '--to', [CompletionResultType]::ParameterName, 'Write the key to a new file that only you can read; make a key if there is none')
            [CompletionResult]::new('--from', '--from', [CompletionResultType]::ParameterName, 'Keep the key in this file in the keyring, in place of the one before')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('--project', '--project', [CompletionResultType]::ParameterName, 'The project to work on; several are worked on one beside the other')
            [CompletionResult]::new('--lock-timeout', '--lock-timeout', [CompletionResultType]::ParameterName, 'How long to wait for another dsr that holds the ledger')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print JSON: one object on stdout, a failure as one object on stderr')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing beside the result, warnings and failures')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing beside the result, warnings and failures')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on stderr: -v what is done, -vv each call, -vvv everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on stderr: -v what is done, -vv each call, -vvv everything')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask; fail instead')
            [CompletionResult]::new('--sandbox', '--sandbox', [CompletionResultType]::ParameterName, 'Rehearse against the built-in sandbox: no account, no network, nothing real')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'dsr;auth;help' {
            [CompletionResult]::new('login', 'login', [CompletionResultType]::ParameterValue, 'Keep a token in the keyring, in place of the one of the same name')
            [CompletionResult]::new('status', 'status', [CompletionResultType]::ParameterValue, 'Show where tokens come from, how long they are good for, and whether Mixpanel turned one away')
            [CompletionResult]::new('use', 'use', [CompletionResultType]::ParameterValue, 'Make a token that of all projects that name none')
            [CompletionResult]::new('logout', 'logout', [CompletionResultType]::ParameterValue, 'Forget a token in the keyring')
            [CompletionResult]::new('hash-key', 'hash-key', [CompletionResultType]::ParameterValue, 'Keep the key of `--hash hmac-sha256` in the keyring')
            [CompletionResult]::new('ledger-key', 'ledger-key', [CompletionResultType]::ParameterValue, 'Show where the key of the ledger''s hashed ids is, or carry it elsewhere')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'dsr;auth;help;login' {
            break
        }
        'dsr;auth;help;status' {
            break
        }
        'dsr;auth;help;use' {
            break
        }
        'dsr;auth;help;logout' {
            break
        }
        'dsr;auth;help;hash-key' {
            break
        }
        'dsr;auth;help;ledger-key' {
            break
        }
        'dsr;auth;help;help' {
            break
        }
        'dsr;project' {
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('--project', '--project', [CompletionResultType]::ParameterName, 'The project to work on; several are worked on one beside the other')
            [CompletionResult]::new('--lock-timeout', '--lock-timeout', [CompletionResultType]::ParameterName, 'How long to wait for another dsr that holds the ledger')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print JSON: one object on stdout, a failure as one object on stderr')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing beside the result, warnings and failures')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing beside the result, warnings and failures')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on stderr: -v what is done, -vv each call, -vvv everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on stderr: -v what is done, -vv each call, -vvv everything')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask; fail instead')
            [CompletionResult]::new('--sandbox', '--sandbox', [CompletionResultType]::ParameterName, 'Rehearse against the built-in sandbox: no account, no network, nothing real')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('add', 'add', [CompletionResultType]::ParameterValue, 'Add a project')
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'List the projects')
            [CompletionResult]::new('show', 'show', [CompletionResultType]::ParameterValue, 'Show a project''s settings and where each comes from')
            [CompletionResult]::new('use', 'use', [CompletionResultType]::ParameterValue, 'Make a project the default')
            [CompletionResult]::new('secret', 'secret', [CompletionResultType]::ParameterValue, 'Keep a project''s API secret in the keyring')
            [CompletionResult]::new('remove', 'remove', [CompletionResultType]::ParameterValue, 'Remove a project from the config file, and its API secret from the keyring')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'dsr;project;add' {
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'Where its data lives')
            [CompletionResult]::new('--data-groups', '--data-groups', [CompletionResultType]::ParameterName, 'How many data groups (group keys) it has: more of them make deletions smaller')
            [CompletionResult]::new('--delete-batch', '--delete-batch', [CompletionResultType]::ParameterName, 'The most ids of one deletion, 1 to 2000 [default: 500]')
            [CompletionResult]::new('--export-batch', '--export-batch', [CompletionResultType]::ParameterName, 'The most ids of one export, 1 to 2000 [default: 2000]')
            [CompletionResult]::new('--rate', '--rate', [CompletionResultType]::ParameterName, 'Requests a second that Mixpanel allows [default: 1]')
            [CompletionResult]::new('--holiday', '--holiday', [CompletionResultType]::ParameterName, 'A public holiday, on which no period of the GDPR ends; may be repeated')
            [CompletionResult]::new('--auth', '--auth', [CompletionResultType]::ParameterName, 'The OAuth token of its calls, by the name `dsr auth login --name` gave it [default: the default one]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('--project', '--project', [CompletionResultType]::ParameterName, 'The project to work on; several are worked on one beside the other')
            [CompletionResult]::new('--lock-timeout', '--lock-timeout', [CompletionResultType]::ParameterName, 'How long to wait for another dsr that holds the ledger')
            [CompletionResult]::new('--with-token', '--with-token', [CompletionResultType]::ParameterName, 'Read the project token from standard input')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print JSON: one object on stdout, a failure as one object on stderr')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing beside the result, warnings and failures')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing beside the result, warnings and failures')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on stderr: -v what is done, -vv each call, -vvv everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on stderr: -v what is done, -vv each call, -vvv everything')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask; fail instead')
            [CompletionResult]::new('--sandbox', '--sandbox', [CompletionResultType]::ParameterName, 'Rehearse against the built-in sandbox: no account, no network, nothing real')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'dsr;project;list' {
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('--project', '--project', [CompletionResultType]::ParameterName, 'The project to work on; several are worked on one beside the other')
            [CompletionResult]::new('--lock-timeout', '--lock-timeout', [CompletionResultType]::ParameterName, 'How long to wait for another dsr that holds the ledger')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print JSON: one object on stdout, a failure as one object on stderr')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing beside the result, warnings and failures')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing beside the result, warnings and failures')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on stderr: -v what is done, -vv each call, -vvv everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on stderr: -v what is done, -vv each call, -vvv everything')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask; fail instead')
            [CompletionResult]::new('--sandbox', '--sandbox', [CompletionResultType]::ParameterName, 'Rehearse against the built-in sandbox: no account, no network, nothing real')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'dsr;project;show' {
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('--project', '--project', [CompletionResultType]::ParameterName, 'The project to work on; several are worked on one beside the other')
            [CompletionResult]::new('--lock-timeout', '--lock-timeout', [CompletionResultType]::ParameterName, 'How long to wait for another dsr that holds the ledger')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print JSON: one object on stdout, a failure as one object on stderr')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing beside the result, warnings and failures')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing beside the result, warnings and failures')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on stderr: -v what is done, -vv each call, -vvv everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on stderr: -v what is done, -vv each call, -vvv everything')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask; fail instead')
            [CompletionResult]::new('--sandbox', '--sandbox', [CompletionResultType]::ParameterName, 'Rehearse against the built-in sandbox: no account, no network, nothing real')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'dsr;project;use' {
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('--project', '--project', [CompletionResultType]::ParameterName, 'The project to work on; several are worked on one beside the other')
            [CompletionResult]::new('--lock-timeout', '--lock-timeout', [CompletionResultType]::ParameterName, 'How long to wait for another dsr that holds the ledger')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print JSON: one object on stdout, a failure as one object on stderr')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing beside the result, warnings and failures')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing beside the result, warnings and failures')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on stderr: -v what is done, -vv each call, -vvv everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on stderr: -v what is done, -vv each call, -vvv everything')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask; fail instead')
            [CompletionResult]::new('--sandbox', '--sandbox', [CompletionResultType]::ParameterName, 'Rehearse against the built-in sandbox: no account, no network, nothing real')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'dsr;project;secret' {
            [CompletionResult]::new('--file', '--file', [CompletionResultType]::ParameterName, 'Read the secret from a file that only its owner can read')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('--project', '--project', [CompletionResultType]::ParameterName, 'The project to work on; several are worked on one beside the other')
            [CompletionResult]::new('--lock-timeout', '--lock-timeout', [CompletionResultType]::ParameterName, 'How long to wait for another dsr that holds the ledger')
            [CompletionResult]::new('--with-secret', '--with-secret', [CompletionResultType]::ParameterName, 'Read the secret from standard input')
            [CompletionResult]::new('--remove', '--remove', [CompletionResultType]::ParameterName, 'Forget the secret')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print JSON: one object on stdout, a failure as one object on stderr')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing beside the result, warnings and failures')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing beside the result, warnings and failures')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on stderr: -v what is done, -vv each call, -vvv everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on stderr: -v what is done, -vv each call, -vvv everything')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask; fail instead')
            [CompletionResult]::new('--sandbox', '--sandbox', [CompletionResultType]::ParameterName, 'Rehearse against the built-in sandbox: no account, no network, nothing real')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'dsr;project;remove' {
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('--project', '--project', [CompletionResultType]::ParameterName, 'The project to work on; several are worked on one beside the other')
            [CompletionResult]::new('--lock-timeout', '--lock-timeout', [CompletionResultType]::ParameterName, 'How long to wait for another dsr that holds the ledger')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print JSON: one object on stdout, a failure as one object on stderr')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing beside the result, warnings and failures')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing beside the result, warnings and failures')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on stderr: -v what is done, -vv each call, -vvv everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on stderr: -v what is done, -vv each call, -vvv everything')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask; fail instead')
            [CompletionResult]::new('--sandbox', '--sandbox', [CompletionResultType]::ParameterName, 'Rehearse against the built-in sandbox: no account, no network, nothing real')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'dsr;project;help' {
            [CompletionResult]::new('add', 'add', [CompletionResultType]::ParameterValue, 'Add a project')
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'List the projects')
            [CompletionResult]::new('show', 'show', [CompletionResultType]::ParameterValue, 'Show a project''s settings and where each comes from')
            [CompletionResult]::new('use', 'use', [CompletionResultType]::ParameterValue, 'Make a project the default')
            [CompletionResult]::new('secret', 'secret', [CompletionResultType]::ParameterValue, 'Keep a project''s API secret in the keyring')
            [CompletionResult]::new('remove', 'remove', [CompletionResultType]::ParameterValue, 'Remove a project from the config file, and its API secret from the keyring')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'dsr;project;help;add' {
            break
        }
        'dsr;project;help;list' {
            break
        }
        'dsr;project;help;show' {
            break
        }
        'dsr;project;help;use' {
            break
        }
        'dsr;project;help;secret' {
            break
        }
        'dsr;project;help;remove' {
            break
        }
        'dsr;project;help;help' {
            break
        }
        'dsr;doctor' {
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('--project', '--project', [CompletionResultType]::ParameterName, 'The project to work on; several are worked on one beside the other')
            [CompletionResult]::new('--lock-timeout', '--lock-timeout', [CompletionResultType]::ParameterName, 'How long to wait for another dsr that holds the ledger')
            [CompletionResult]::new('--offline', '--offline', [CompletionResultType]::ParameterName, 'Ask nobody but this machine')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print JSON: one object on stdout, a failure as one object on stderr')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing beside the result, warnings and failures')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing beside the result, warnings and failures')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on stderr: -v what is done, -vv each call, -vvv everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on stderr: -v what is done, -vv each call, -vvv everything')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask; fail instead')
            [CompletionResult]::new('--sandbox', '--sandbox', [CompletionResultType]::ParameterName, 'Rehearse against the built-in sandbox: no account, no network, nothing real')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'dsr;guide' {
            [CompletionResult]::new('--sdk', '--sdk', [CompletionResultType]::ParameterName, 'Tell of this SDK only')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('--project', '--project', [CompletionResultType]::ParameterName, 'The project to work on; several are worked on one beside the other')
            [CompletionResult]::new('--lock-timeout', '--lock-timeout', [CompletionResultType]::ParameterName, 'How long to wait for another dsr that holds the ledger')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print JSON: one object on stdout, a failure as one object on stderr')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing beside the result, warnings and failures')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing beside the result, warnings and failures')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on stderr: -v what is done, -vv each call, -vvv everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on stderr: -v what is done, -vv each call, -vvv everything')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask; fail instead')
            [CompletionResult]::new('--sandbox', '--sandbox', [CompletionResultType]::ParameterName, 'Rehearse against the built-in sandbox: no account, no network, nothing real')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'dsr;sandbox' {
            [CompletionResult]::new('--port', '--port', [CompletionResultType]::ParameterName, 'The port to serve on; 0 takes any free one')
            [CompletionResult]::new('--job-seconds', '--job-seconds', [CompletionResultType]::ParameterName, 'Seconds from the creation of a job to its end')
            [CompletionResult]::new('--rate', '--rate', [CompletionResultType]::ParameterName, 'Requests a second it allows for each project')
            [CompletionResult]::new('--create-reply', '--create-reply', [CompletionResultType]::ParameterName, 'The shape of the reply to a create')
            [CompletionResult]::new('--archive', '--archive', [CompletionResultType]::ParameterName, 'How finished exports are packed')
            [CompletionResult]::new('--events-per-person', '--events-per-person', [CompletionResultType]::ParameterName, 'Events of each person in an export; a handful if not given')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('--project', '--project', [CompletionResultType]::ParameterName, 'The project to work on; several are worked on one beside the other')
            [CompletionResult]::new('--lock-timeout', '--lock-timeout', [CompletionResultType]::ParameterName, 'How long to wait for another dsr that holds the ledger')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print JSON: one object on stdout, a failure as one object on stderr')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing beside the result, warnings and failures')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing beside the result, warnings and failures')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on stderr: -v what is done, -vv each call, -vvv everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on stderr: -v what is done, -vv each call, -vvv everything')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask; fail instead')
            [CompletionResult]::new('--sandbox', '--sandbox', [CompletionResultType]::ParameterName, 'Rehearse against the built-in sandbox: no account, no network, nothing real')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'dsr;completions' {
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('--project', '--project', [CompletionResultType]::ParameterName, 'The project to work on; several are worked on one beside the other')
            [CompletionResult]::new('--lock-timeout', '--lock-timeout', [CompletionResultType]::ParameterName, 'How long to wait for another dsr that holds the ledger')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print JSON: one object on stdout, a failure as one object on stderr')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing beside the result, warnings and failures')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing beside the result, warnings and failures')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on stderr: -v what is done, -vv each call, -vvv everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on stderr: -v what is done, -vv each call, -vvv everything')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask; fail instead')
            [CompletionResult]::new('--sandbox', '--sandbox', [CompletionResultType]::ParameterName, 'Rehearse against the built-in sandbox: no account, no network, nothing real')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'dsr;exit-status' {
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('--project', '--project', [CompletionResultType]::ParameterName, 'The project to work on; several are worked on one beside the other')
            [CompletionResult]::new('--lock-timeout', '--lock-timeout', [CompletionResultType]::ParameterName, 'How long to wait for another dsr that holds the ledger')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print JSON: one object on stdout, a failure as one object on stderr')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing beside the result, warnings and failures')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing beside the result, warnings and failures')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on stderr: -v what is done, -vv each call, -vvv everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on stderr: -v what is done, -vv each call, -vvv everything')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask; fail instead')
            [CompletionResult]::new('--sandbox', '--sandbox', [CompletionResultType]::ParameterName, 'Rehearse against the built-in sandbox: no account, no network, nothing real')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'dsr;help' {
            [CompletionResult]::new('export', 'export', [CompletionResultType]::ParameterValue, 'Export what Mixpanel holds on the listed people')
            [CompletionResult]::new('delete', 'delete', [CompletionResultType]::ParameterValue, 'Erase the data of the listed people')
            [CompletionResult]::new('status', 'status', [CompletionResultType]::ParameterValue, 'Show how requests stand')
            [CompletionResult]::new('resume', 'resume', [CompletionResultType]::ParameterValue, 'Go on with what was interrupted, deferred or is unknown')
            [CompletionResult]::new('cancel', 'cancel', [CompletionResultType]::ParameterValue, 'Cancel deletions that Mixpanel has not started')
            [CompletionResult]::new('extend', 'extend', [CompletionResultType]::ParameterValue, 'Take the law''s further time to answer a request')
            [CompletionResult]::new('download', 'download', [CompletionResultType]::ParameterValue, 'Fetch finished exports, and split them into a package for each person')
            [CompletionResult]::new('find', 'find', [CompletionResultType]::ParameterValue, 'Tell whether people were exported or erased: when, and under which task')
            [CompletionResult]::new('purge', 'purge', [CompletionResultType]::ParameterValue, 'Remove the records of requests that were closed long ago')
            [CompletionResult]::new('audit', 'audit', [CompletionResultType]::ParameterValue, 'Read and verify the audit trail: who did what, and when')
            [CompletionResult]::new('auth', 'auth', [CompletionResultType]::ParameterValue, 'Keep, show or forget OAuth tokens, or a key of hashed ids')
            [CompletionResult]::new('project', 'project', [CompletionResultType]::ParameterValue, 'Set up the Mixpanel projects to work on')
            [CompletionResult]::new('doctor', 'doctor', [CompletionResultType]::ParameterValue, 'Check tokens, keyring, projects, ledger, clock and network, and say what to fix')
            [CompletionResult]::new('guide', 'guide', [CompletionResultType]::ParameterValue, 'How to stop Mixpanel''s SDKs from collecting data')
            [CompletionResult]::new('sandbox', 'sandbox', [CompletionResultType]::ParameterValue, 'Serve the sandbox on loopback: a stand-in for Mixpanel''s GDPR API')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Print the completion script of a shell')
            [CompletionResult]::new('exit-status', 'exit-status', [CompletionResultType]::ParameterValue, 'What each exit status means; stable, for scripts')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'dsr;help;export' {
            break
        }
        'dsr;help;delete' {
            break
        }
        'dsr;help;status' {
            break
        }
        'dsr;help;resume' {
            break
        }
        'dsr;help;cancel' {
            break
        }
        'dsr;help;extend' {
            break
        }
        'dsr;help;download' {
            break
        }
        'dsr;help;find' {
            break
        }
        'dsr;help;purge' {
            break
        }
        'dsr;help;audit' {
            [CompletionResult]::new('verify', 'verify', [CompletionResultType]::ParameterValue, 'Read the whole trail, and tell what does not fit')
            [CompletionResult]::new('head', 'head', [CompletionResultType]::ParameterValue, 'Print how far the trail goes, in one line: what to keep elsewhere')
            [CompletionResult]::new('log', 'log', [CompletionResultType]::ParameterValue, 'Show entries of the trail: all of one request, or the last ones')
            break
        }
        'dsr;help;audit;verify' {
            break
        }
        'dsr;help;audit;head' {
            break
        }
        'dsr;help;audit;log' {
            break
        }
        'dsr;help;auth' {
            [CompletionResult]::new('login', 'login', [CompletionResultType]::ParameterValue, 'Keep a token in the keyring, in place of the one of the same name')
            [CompletionResult]::new('status', 'status', [CompletionResultType]::ParameterValue, 'Show where tokens come from, how long they are good for, and whether Mixpanel turned one away')
            [CompletionResult]::new('use', 'use', [CompletionResultType]::ParameterValue, 'Make a token that of all projects that name none')
            [CompletionResult]::new('logout', 'logout', [CompletionResultType]::ParameterValue, 'Forget a token in the keyring')
            [CompletionResult]::new('hash-key', 'hash-key', [CompletionResultType]::ParameterValue, 'Keep the key of `--hash hmac-sha256` in the keyring')
            [CompletionResult]::new('ledger-key', 'ledger-key', [CompletionResultType]::ParameterValue, 'Show where the key of the ledger''s hashed ids is, or carry it elsewhere')
            break
        }
        'dsr;help;auth;login' {
            break
        }
        'dsr;help;auth;status' {
            break
        }
        'dsr;help;auth;use' {
            break
        }
        'dsr;help;auth;logout' {
            break
        }
        'dsr;help;auth;hash-key' {
            break
        }
        'dsr;help;auth;ledger-key' {
            break
        }
        'dsr;help;project' {
            [CompletionResult]::new('add', 'add', [CompletionResultType]::ParameterValue, 'Add a project')
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'List the projects')
            [CompletionResult]::new('show', 'show', [CompletionResultType]::ParameterValue, 'Show a project''s settings and where each comes from')
            [CompletionResult]::new('use', 'use', [CompletionResultType]::ParameterValue, 'Make a project the default')
            [CompletionResult]::new('secret', 'secret', [CompletionResultType]::ParameterValue, 'Keep a project''s API secret in the keyring')
            [CompletionResult]::new('remove', 'remove', [CompletionResultType]::ParameterValue, 'Remove a project from the config file, and its API secret from the keyring')
            break
        }
        'dsr;help;project;add' {
            break
        }
        'dsr;help;project;list' {
            break
        }
        'dsr;help;project;show' {
            break
        }
        'dsr;help;project;use' {
            break
        }
        'dsr;help;project;secret' {
            break
        }
        'dsr;help;project;remove' {
            break
        }
        'dsr;help;doctor' {
            break
        }
        'dsr;help;guide' {
            break
        }
        'dsr;help;sandbox' {
            break
        }
        'dsr;help;completions' {
            break
        }
        'dsr;help;exit-status' {
            break
        }
        'dsr;help;help' {
            break
        }
    })

    $completions.Where{ $_.CompletionText -like "$wordToComplete*" } |
        Sort-Object -Property ListItemText
}
