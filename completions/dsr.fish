# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_dsr_global_optspecs
    string join \n json q/quiet v/verbose no-input color= plain project= sandbox lock-timeout= h/help V/version
end

function __fish_dsr_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_dsr_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_dsr_using_subcommand
    set -l cmd (__fish_dsr_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c dsr -n "__fish_dsr_needs_command" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c dsr -n "__fish_dsr_needs_command" -l project -d 'The project to work on; several are worked on one beside the other' -r
complete -c dsr -n "__fish_dsr_needs_command" -l lock-timeout -d 'How long to wait for another dsr that holds the ledger' -r
complete -c dsr -n "__fish_dsr_needs_command" -l json -d 'Print JSON: one object on stdout, a failure as one object on stderr'
complete -c dsr -n "__fish_dsr_needs_command" -s q -l quiet -d 'Say nothing beside the result, warnings and failures'
complete -c dsr -n "__fish_dsr_needs_command" -s v -l verbose -d 'Say more on stderr: -v what is done, -vv each call, -vvv everything'
complete -c dsr -n "__fish_dsr_needs_command" -l no-input -d 'Never ask; fail instead'
complete -c dsr -n "__fish_dsr_needs_command" -l plain -d 'One fact a line, as `name: value`, for screen readers: no columns, no colour, nothing drawn anew'
complete -c dsr -n "__fish_dsr_needs_command" -l sandbox -d 'Rehearse against the built-in sandbox: no account, no network, nothing real'
complete -c dsr -n "__fish_dsr_needs_command" -s h -l help -d 'Print help'
complete -c dsr -n "__fish_dsr_needs_command" -s V -l version -d 'Print version'
complete -c dsr -n "__fish_dsr_needs_command" -f -a "export" -d 'Export what Mixpanel holds on the listed people'
complete -c dsr -n "__fish_dsr_needs_command" -f -a "delete" -d 'Erase the data of the listed people'
complete -c dsr -n "__fish_dsr_needs_command" -f -a "approve" -d 'Approve a plan that somebody else has made'
complete -c dsr -n "__fish_dsr_needs_command" -f -a "apply" -d 'Carry out a plan, as it was made and approved'
complete -c dsr -n "__fish_dsr_needs_command" -f -a "status" -d 'Show how requests stand'
complete -c dsr -n "__fish_dsr_needs_command" -f -a "resume" -d 'Go on with what was interrupted, deferred or is unknown'
complete -c dsr -n "__fish_dsr_needs_command" -f -a "cancel" -d 'Cancel deletions that Mixpanel has not started'
complete -c dsr -n "__fish_dsr_needs_command" -f -a "download" -d 'Fetch finished exports, and split them into a package for each person'
complete -c dsr -n "__fish_dsr_needs_command" -f -a "extend" -d 'Take the law\'s further time to answer a request'
complete -c dsr -n "__fish_dsr_needs_command" -f -a "find" -d 'Tell whether people were exported or erased: when, and under which task'
complete -c dsr -n "__fish_dsr_needs_command" -f -a "report" -d 'Report on a request, or on all of a period, as evidence'
complete -c dsr -n "__fish_dsr_needs_command" -f -a "audit" -d 'Read and verify the audit trail: who did what, and when'
complete -c dsr -n "__fish_dsr_needs_command" -f -a "suppressions" -d 'People whom your servers must not track again'
complete -c dsr -n "__fish_dsr_needs_command" -f -a "guide" -d 'How to stop Mixpanel\'s SDKs from collecting data'
complete -c dsr -n "__fish_dsr_needs_command" -f -a "doctor" -d 'Check tokens, keyring, projects, ledger, clock and network, and say what to fix'
complete -c dsr -n "__fish_dsr_needs_command" -f -a "project" -d 'Set up the Mixpanel projects to work on'
complete -c dsr -n "__fish_dsr_needs_command" -f -a "auth" -d 'Keep, show or forget OAuth tokens, or a key of hashed ids'
complete -c dsr -n "__fish_dsr_needs_command" -f -a "purge" -d 'Remove the records of requests that were closed long ago'
complete -c dsr -n "__fish_dsr_needs_command" -f -a "sandbox" -d 'Serve the sandbox on loopback: a stand-in for Mixpanel\'s GDPR API'
complete -c dsr -n "__fish_dsr_needs_command" -f -a "completions" -d 'Print the completion script of a shell'
complete -c dsr -n "__fish_dsr_needs_command" -f -a "man" -d 'Print man pages'
complete -c dsr -n "__fish_dsr_needs_command" -f -a "help" -d 'Tell about a command or a topic'
complete -c dsr -n "__fish_dsr_using_subcommand export" -l disclosure -d 'What a CCPA export discloses [default: data]' -r -f -a "data\t'The personal data itself (Mixpanel\'s default)'
categories\t'The categories of personal data collected'
sources\t'The sources it was collected from'"
complete -c dsr -n "__fish_dsr_using_subcommand export" -l file -d 'A file, whatever its name looks like' -r -F
complete -c dsr -n "__fish_dsr_using_subcommand export" -l id -d 'One distinct_id, whatever it looks like' -r
complete -c dsr -n "__fish_dsr_using_subcommand export" -l format -d 'How files and standard input are read [default: recognised]' -r -f -a "csv\t'A table with any delimiter'
tsv\t'A table with tabs'
jsonl\t'One JSON object, text or whole number a line'
json\t'One JSON array'
text\t'Each line is an id, byte for byte'"
complete -c dsr -n "__fish_dsr_using_subcommand export" -l column -d 'The column that holds the ids: its name, or its number counted from 1; in JSON the key, or OUTER.KEY' -r
complete -c dsr -n "__fish_dsr_using_subcommand export" -l delimiter -d 'What parts the fields: one character, or `tab` [default: recognised]' -r
complete -c dsr -n "__fish_dsr_using_subcommand export" -l encoding -d 'The encoding of text without a byte order mark, such as `windows-1252` [default: utf-8]' -r
complete -c dsr -n "__fish_dsr_using_subcommand export" -l allow -d 'Take this very value for an id, whatever it looks like; may be given several times' -r
complete -c dsr -n "__fish_dsr_using_subcommand export" -l expect-pattern -d 'Refuse ids that this regular expression does not match whole, such as `user-\\d{6}`' -r
complete -c dsr -n "__fish_dsr_using_subcommand export" -l hash -d 'Hash each value, and send the hash as small hex digits in its place' -r -f -a "sha256\t''
sha1\t''
md5\t''
hmac-sha256\t'With a key'"
complete -c dsr -n "__fish_dsr_using_subcommand export" -l hash-key-file -d 'The key of HMAC: a file that only its owner can read [default: the keyring\'s]' -r -F
complete -c dsr -n "__fish_dsr_using_subcommand export" -l hash-prefix -d 'Put this before the hex digits' -r
complete -c dsr -n "__fish_dsr_using_subcommand export" -l exclude -d 'Leave out the ids in this file, such as those under legal hold; read as the sources are' -r -F
complete -c dsr -n "__fish_dsr_using_subcommand export" -l expect -d 'Refuse unless there are exactly N unique ids, the excluded ones not counted' -r
complete -c dsr -n "__fish_dsr_using_subcommand export" -l plan -d 'Write the plan to a new file for others to approve, and send nothing; see `dsr apply`' -r -F
complete -c dsr -n "__fish_dsr_using_subcommand export" -l timeout -d 'Give up waiting after this long, such as `90s`, `2h` or `3days`' -r
complete -c dsr -n "__fish_dsr_using_subcommand export" -l max-wait -d 'How long to wait out Mixpanel\'s rate limit before leaving the rest for `dsr resume`' -r
complete -c dsr -n "__fish_dsr_using_subcommand export" -l ref -d 'Your own ticket number, recorded with the request' -r
complete -c dsr -n "__fish_dsr_using_subcommand export" -l received -d 'The day the person asked; the legal clock starts there [default: today]' -r
complete -c dsr -n "__fish_dsr_using_subcommand export" -l download -d 'With --wait, fetch each finished export into this folder, as `dsr download --to DIR` does' -r -F
complete -c dsr -n "__fish_dsr_using_subcommand export" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c dsr -n "__fish_dsr_using_subcommand export" -l project -d 'The project to work on; several are worked on one beside the other' -r
complete -c dsr -n "__fish_dsr_using_subcommand export" -l lock-timeout -d 'How long to wait for another dsr that holds the ledger' -r
complete -c dsr -n "__fish_dsr_using_subcommand export" -l gdpr -d 'Under the GDPR'
complete -c dsr -n "__fish_dsr_using_subcommand export" -l ccpa -d 'Under the CCPA'
complete -c dsr -n "__fish_dsr_using_subcommand export" -l no-header -d 'The first line is an id already, not a heading'
complete -c dsr -n "__fish_dsr_using_subcommand export" -l trim -d 'Drop white space around ids, in place of refusing them'
complete -c dsr -n "__fish_dsr_using_subcommand export" -l keep-whitespace -d 'Keep white space around ids: Mixpanel has them so'
complete -c dsr -n "__fish_dsr_using_subcommand export" -l show-warnings -d 'List each line that is warned of'
complete -c dsr -n "__fish_dsr_using_subcommand export" -l hash-lowercase -d 'Lower-case each value first, by Unicode\'s rules, as toLowerCase of JavaScript does'
complete -c dsr -n "__fish_dsr_using_subcommand export" -l dry-run -d 'Show what would be done, and send nothing'
complete -c dsr -n "__fish_dsr_using_subcommand export" -l wait -d 'Follow the jobs to their end'
complete -c dsr -n "__fish_dsr_using_subcommand export" -l new -d 'Start a second request although an open one asks for the very same'
complete -c dsr -n "__fish_dsr_using_subcommand export" -l json -d 'Print JSON: one object on stdout, a failure as one object on stderr'
complete -c dsr -n "__fish_dsr_using_subcommand export" -s q -l quiet -d 'Say nothing beside the result, warnings and failures'
complete -c dsr -n "__fish_dsr_using_subcommand export" -s v -l verbose -d 'Say more on stderr: -v what is done, -vv each call, -vvv everything'
complete -c dsr -n "__fish_dsr_using_subcommand export" -l no-input -d 'Never ask; fail instead'
complete -c dsr -n "__fish_dsr_using_subcommand export" -l plain -d 'One fact a line, as `name: value`, for screen readers: no columns, no colour, nothing drawn anew'
complete -c dsr -n "__fish_dsr_using_subcommand export" -l sandbox -d 'Rehearse against the built-in sandbox: no account, no network, nothing real'
complete -c dsr -n "__fish_dsr_using_subcommand export" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dsr -n "__fish_dsr_using_subcommand export" -s V -l version -d 'Print version'
complete -c dsr -n "__fish_dsr_using_subcommand delete" -l disclosure -r
complete -c dsr -n "__fish_dsr_using_subcommand delete" -l file -d 'A file, whatever its name looks like' -r -F
complete -c dsr -n "__fish_dsr_using_subcommand delete" -l id -d 'One distinct_id, whatever it looks like' -r
complete -c dsr -n "__fish_dsr_using_subcommand delete" -l format -d 'How files and standard input are read [default: recognised]' -r -f -a "csv\t'A table with any delimiter'
tsv\t'A table with tabs'
jsonl\t'One JSON object, text or whole number a line'
json\t'One JSON array'
text\t'Each line is an id, byte for byte'"
complete -c dsr -n "__fish_dsr_using_subcommand delete" -l column -d 'The column that holds the ids: its name, or its number counted from 1; in JSON the key, or OUTER.KEY' -r
complete -c dsr -n "__fish_dsr_using_subcommand delete" -l delimiter -d 'What parts the fields: one character, or `tab` [default: recognised]' -r
complete -c dsr -n "__fish_dsr_using_subcommand delete" -l encoding -d 'The encoding of text without a byte order mark, such as `windows-1252` [default: utf-8]' -r
complete -c dsr -n "__fish_dsr_using_subcommand delete" -l allow -d 'Take this very value for an id, whatever it looks like; may be given several times' -r
complete -c dsr -n "__fish_dsr_using_subcommand delete" -l expect-pattern -d 'Refuse ids that this regular expression does not match whole, such as `user-\\d{6}`' -r
complete -c dsr -n "__fish_dsr_using_subcommand delete" -l hash -d 'Hash each value, and send the hash as small hex digits in its place' -r -f -a "sha256\t''
sha1\t''
md5\t''
hmac-sha256\t'With a key'"
complete -c dsr -n "__fish_dsr_using_subcommand delete" -l hash-key-file -d 'The key of HMAC: a file that only its owner can read [default: the keyring\'s]' -r -F
complete -c dsr -n "__fish_dsr_using_subcommand delete" -l hash-prefix -d 'Put this before the hex digits' -r
complete -c dsr -n "__fish_dsr_using_subcommand delete" -l exclude -d 'Leave out the ids in this file, such as those under legal hold; read as the sources are' -r -F
complete -c dsr -n "__fish_dsr_using_subcommand delete" -l expect -d 'Refuse unless there are exactly N unique ids, the excluded ones not counted' -r
complete -c dsr -n "__fish_dsr_using_subcommand delete" -l plan -d 'Write the plan to a new file for others to approve, and send nothing; see `dsr apply`' -r -F
complete -c dsr -n "__fish_dsr_using_subcommand delete" -l timeout -d 'Give up waiting after this long, such as `90s`, `2h` or `3days`' -r
complete -c dsr -n "__fish_dsr_using_subcommand delete" -l max-wait -d 'How long to wait out Mixpanel\'s rate limit before leaving the rest for `dsr resume`' -r
complete -c dsr -n "__fish_dsr_using_subcommand delete" -l ref -d 'Your own ticket number, recorded with the request' -r
complete -c dsr -n "__fish_dsr_using_subcommand delete" -l received -d 'The day the person asked; the legal clock starts there [default: today]' -r
complete -c dsr -n "__fish_dsr_using_subcommand delete" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c dsr -n "__fish_dsr_using_subcommand delete" -l project -d 'The project to work on; several are worked on one beside the other' -r
complete -c dsr -n "__fish_dsr_using_subcommand delete" -l lock-timeout -d 'How long to wait for another dsr that holds the ledger' -r
complete -c dsr -n "__fish_dsr_using_subcommand delete" -l gdpr -d 'Under the GDPR'
complete -c dsr -n "__fish_dsr_using_subcommand delete" -l ccpa -d 'Under the CCPA'
complete -c dsr -n "__fish_dsr_using_subcommand delete" -l yes -d 'Do not ask for confirmation'
complete -c dsr -n "__fish_dsr_using_subcommand delete" -l no-header -d 'The first line is an id already, not a heading'
complete -c dsr -n "__fish_dsr_using_subcommand delete" -l trim -d 'Drop white space around ids, in place of refusing them'
complete -c dsr -n "__fish_dsr_using_subcommand delete" -l keep-whitespace -d 'Keep white space around ids: Mixpanel has them so'
complete -c dsr -n "__fish_dsr_using_subcommand delete" -l show-warnings -d 'List each line that is warned of'
complete -c dsr -n "__fish_dsr_using_subcommand delete" -l hash-lowercase -d 'Lower-case each value first, by Unicode\'s rules, as toLowerCase of JavaScript does'
complete -c dsr -n "__fish_dsr_using_subcommand delete" -l dry-run -d 'Show what would be done, and send nothing'
complete -c dsr -n "__fish_dsr_using_subcommand delete" -l wait -d 'Follow the jobs to their end'
complete -c dsr -n "__fish_dsr_using_subcommand delete" -l new -d 'Start a second request although an open one asks for the very same'
complete -c dsr -n "__fish_dsr_using_subcommand delete" -l json -d 'Print JSON: one object on stdout, a failure as one object on stderr'
complete -c dsr -n "__fish_dsr_using_subcommand delete" -s q -l quiet -d 'Say nothing beside the result, warnings and failures'
complete -c dsr -n "__fish_dsr_using_subcommand delete" -s v -l verbose -d 'Say more on stderr: -v what is done, -vv each call, -vvv everything'
complete -c dsr -n "__fish_dsr_using_subcommand delete" -l no-input -d 'Never ask; fail instead'
complete -c dsr -n "__fish_dsr_using_subcommand delete" -l plain -d 'One fact a line, as `name: value`, for screen readers: no columns, no colour, nothing drawn anew'
complete -c dsr -n "__fish_dsr_using_subcommand delete" -l sandbox -d 'Rehearse against the built-in sandbox: no account, no network, nothing real'
complete -c dsr -n "__fish_dsr_using_subcommand delete" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dsr -n "__fish_dsr_using_subcommand delete" -s V -l version -d 'Print version'
complete -c dsr -n "__fish_dsr_using_subcommand approve" -l digest -d 'Refuse unless this is the digest of the plan, all 64 digits of it' -r
complete -c dsr -n "__fish_dsr_using_subcommand approve" -l expect -d 'Refuse unless the plan is about exactly N unique ids' -r
complete -c dsr -n "__fish_dsr_using_subcommand approve" -l as -d 'In the sandbox only: approve as this made-up operator' -r
complete -c dsr -n "__fish_dsr_using_subcommand approve" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c dsr -n "__fish_dsr_using_subcommand approve" -l project -d 'The project to work on; several are worked on one beside the other' -r
complete -c dsr -n "__fish_dsr_using_subcommand approve" -l lock-timeout -d 'How long to wait for another dsr that holds the ledger' -r
complete -c dsr -n "__fish_dsr_using_subcommand approve" -l yes -d 'Do not ask for confirmation'
complete -c dsr -n "__fish_dsr_using_subcommand approve" -l json -d 'Print JSON: one object on stdout, a failure as one object on stderr'
complete -c dsr -n "__fish_dsr_using_subcommand approve" -s q -l quiet -d 'Say nothing beside the result, warnings and failures'
complete -c dsr -n "__fish_dsr_using_subcommand approve" -s v -l verbose -d 'Say more on stderr: -v what is done, -vv each call, -vvv everything'
complete -c dsr -n "__fish_dsr_using_subcommand approve" -l no-input -d 'Never ask; fail instead'
complete -c dsr -n "__fish_dsr_using_subcommand approve" -l plain -d 'One fact a line, as `name: value`, for screen readers: no columns, no colour, nothing drawn anew'
complete -c dsr -n "__fish_dsr_using_subcommand approve" -l sandbox -d 'Rehearse against the built-in sandbox: no account, no network, nothing real'
complete -c dsr -n "__fish_dsr_using_subcommand approve" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dsr -n "__fish_dsr_using_subcommand approve" -s V -l version -d 'Print version'
complete -c dsr -n "__fish_dsr_using_subcommand apply" -l digest -d 'Refuse unless this is the digest of the plan, all 64 digits of it' -r
complete -c dsr -n "__fish_dsr_using_subcommand apply" -l expect -d 'Refuse unless the plan is about exactly N unique ids' -r
complete -c dsr -n "__fish_dsr_using_subcommand apply" -l timeout -d 'Give up waiting after this long, such as `90s`, `2h` or `3days`' -r
complete -c dsr -n "__fish_dsr_using_subcommand apply" -l max-wait -d 'How long to wait out Mixpanel\'s rate limit before leaving the rest for `dsr resume`' -r
complete -c dsr -n "__fish_dsr_using_subcommand apply" -l download -d 'With --wait, fetch each finished export into this folder, as `dsr download --to DIR` does' -r -F
complete -c dsr -n "__fish_dsr_using_subcommand apply" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c dsr -n "__fish_dsr_using_subcommand apply" -l project -d 'The project to work on; several are worked on one beside the other' -r
complete -c dsr -n "__fish_dsr_using_subcommand apply" -l lock-timeout -d 'How long to wait for another dsr that holds the ledger' -r
complete -c dsr -n "__fish_dsr_using_subcommand apply" -l yes -d 'Do not ask for confirmation'
complete -c dsr -n "__fish_dsr_using_subcommand apply" -l dry-run -d 'Show the plan, and send nothing'
complete -c dsr -n "__fish_dsr_using_subcommand apply" -l wait -d 'Follow the jobs to their end'
complete -c dsr -n "__fish_dsr_using_subcommand apply" -l new -d 'Start a second request although an open one asks for the very same'
complete -c dsr -n "__fish_dsr_using_subcommand apply" -l json -d 'Print JSON: one object on stdout, a failure as one object on stderr'
complete -c dsr -n "__fish_dsr_using_subcommand apply" -s q -l quiet -d 'Say nothing beside the result, warnings and failures'
complete -c dsr -n "__fish_dsr_using_subcommand apply" -s v -l verbose -d 'Say more on stderr: -v what is done, -vv each call, -vvv everything'
complete -c dsr -n "__fish_dsr_using_subcommand apply" -l no-input -d 'Never ask; fail instead'
complete -c dsr -n "__fish_dsr_using_subcommand apply" -l plain -d 'One fact a line, as `name: value`, for screen readers: no columns, no colour, nothing drawn anew'
complete -c dsr -n "__fish_dsr_using_subcommand apply" -l sandbox -d 'Rehearse against the built-in sandbox: no account, no network, nothing real'
complete -c dsr -n "__fish_dsr_using_subcommand apply" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dsr -n "__fish_dsr_using_subcommand apply" -s V -l version -d 'Print version'
complete -c dsr -n "__fish_dsr_using_subcommand status" -l ask-for -d 'Ask about what is due for this long at most, such as `30s` or `10m` [default: 5s, or not at all where that is no more than a beginning]' -r
complete -c dsr -n "__fish_dsr_using_subcommand status" -l timeout -d 'Give up watching after this long, such as `90s`, `2h` or `3days`' -r
complete -c dsr -n "__fish_dsr_using_subcommand status" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c dsr -n "__fish_dsr_using_subcommand status" -l project -d 'The project to work on; several are worked on one beside the other' -r
complete -c dsr -n "__fish_dsr_using_subcommand status" -l lock-timeout -d 'How long to wait for another dsr that holds the ledger' -r
complete -c dsr -n "__fish_dsr_using_subcommand status" -l cached -d 'Show what the ledger knows; ask nobody'
complete -c dsr -n "__fish_dsr_using_subcommand status" -l refresh -d 'Ask about every open job, due or not, however long it takes'
complete -c dsr -n "__fish_dsr_using_subcommand status" -l watch -d 'Go on until all jobs have ended: on a terminal as a picture that is drawn anew, elsewhere as one JSON object a line for each change, and all of it at the end'
complete -c dsr -n "__fish_dsr_using_subcommand status" -l changes -d 'Show only the jobs that stand otherwise than at the last look with --changes; nothing if there is none'
complete -c dsr -n "__fish_dsr_using_subcommand status" -l exit-status -d 'Tell by the exit status how the requests stand: 6, 7, 3, 9, 75 or 8; see `dsr help exit-status`'
complete -c dsr -n "__fish_dsr_using_subcommand status" -l all -d 'List closed requests, too'
complete -c dsr -n "__fish_dsr_using_subcommand status" -l show-ids -d 'Show the distinct_ids of a request\'s jobs, as far as they are still kept; ask nobody'
complete -c dsr -n "__fish_dsr_using_subcommand status" -l json -d 'Print JSON: one object on stdout, a failure as one object on stderr'
complete -c dsr -n "__fish_dsr_using_subcommand status" -s q -l quiet -d 'Say nothing beside the result, warnings and failures'
complete -c dsr -n "__fish_dsr_using_subcommand status" -s v -l verbose -d 'Say more on stderr: -v what is done, -vv each call, -vvv everything'
complete -c dsr -n "__fish_dsr_using_subcommand status" -l no-input -d 'Never ask; fail instead'
complete -c dsr -n "__fish_dsr_using_subcommand status" -l plain -d 'One fact a line, as `name: value`, for screen readers: no columns, no colour, nothing drawn anew'
complete -c dsr -n "__fish_dsr_using_subcommand status" -l sandbox -d 'Rehearse against the built-in sandbox: no account, no network, nothing real'
complete -c dsr -n "__fish_dsr_using_subcommand status" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dsr -n "__fish_dsr_using_subcommand status" -s V -l version -d 'Print version'
complete -c dsr -n "__fish_dsr_using_subcommand resume" -l max-wait -d 'How long to wait out Mixpanel\'s rate limit before leaving the rest for `dsr resume`' -r
complete -c dsr -n "__fish_dsr_using_subcommand resume" -l timeout -d 'Give up waiting after this long, such as `90s`, `2h` or `3days`' -r
complete -c dsr -n "__fish_dsr_using_subcommand resume" -l task -d 'The unknown job became this task: Mixpanel is asked about it' -r
complete -c dsr -n "__fish_dsr_using_subcommand resume" -l job -d 'Which unknown job is meant, by its number, where there are several' -r
complete -c dsr -n "__fish_dsr_using_subcommand resume" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c dsr -n "__fish_dsr_using_subcommand resume" -l project -d 'The project to work on; several are worked on one beside the other' -r
complete -c dsr -n "__fish_dsr_using_subcommand resume" -l lock-timeout -d 'How long to wait for another dsr that holds the ledger' -r
complete -c dsr -n "__fish_dsr_using_subcommand resume" -l wait -d 'Follow the jobs to their end'
complete -c dsr -n "__fish_dsr_using_subcommand resume" -l send-again -d 'Send the unknown jobs again, although they may have been taken already'
complete -c dsr -n "__fish_dsr_using_subcommand resume" -l abandon -d 'Give up on the unknown jobs: they are never sent again and stay unknown'
complete -c dsr -n "__fish_dsr_using_subcommand resume" -l json -d 'Print JSON: one object on stdout, a failure as one object on stderr'
complete -c dsr -n "__fish_dsr_using_subcommand resume" -s q -l quiet -d 'Say nothing beside the result, warnings and failures'
complete -c dsr -n "__fish_dsr_using_subcommand resume" -s v -l verbose -d 'Say more on stderr: -v what is done, -vv each call, -vvv everything'
complete -c dsr -n "__fish_dsr_using_subcommand resume" -l no-input -d 'Never ask; fail instead'
complete -c dsr -n "__fish_dsr_using_subcommand resume" -l plain -d 'One fact a line, as `name: value`, for screen readers: no columns, no colour, nothing drawn anew'
complete -c dsr -n "__fish_dsr_using_subcommand resume" -l sandbox -d 'Rehearse against the built-in sandbox: no account, no network, nothing real'
complete -c dsr -n "__fish_dsr_using_subcommand resume" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dsr -n "__fish_dsr_using_subcommand resume" -s V -l version -d 'Print version'
complete -c dsr -n "__fish_dsr_using_subcommand cancel" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c dsr -n "__fish_dsr_using_subcommand cancel" -l project -d 'The project to work on; several are worked on one beside the other' -r
complete -c dsr -n "__fish_dsr_using_subcommand cancel" -l lock-timeout -d 'How long to wait for another dsr that holds the ledger' -r
complete -c dsr -n "__fish_dsr_using_subcommand cancel" -l json -d 'Print JSON: one object on stdout, a failure as one object on stderr'
complete -c dsr -n "__fish_dsr_using_subcommand cancel" -s q -l quiet -d 'Say nothing beside the result, warnings and failures'
complete -c dsr -n "__fish_dsr_using_subcommand cancel" -s v -l verbose -d 'Say more on stderr: -v what is done, -vv each call, -vvv everything'
complete -c dsr -n "__fish_dsr_using_subcommand cancel" -l no-input -d 'Never ask; fail instead'
complete -c dsr -n "__fish_dsr_using_subcommand cancel" -l plain -d 'One fact a line, as `name: value`, for screen readers: no columns, no colour, nothing drawn anew'
complete -c dsr -n "__fish_dsr_using_subcommand cancel" -l sandbox -d 'Rehearse against the built-in sandbox: no account, no network, nothing real'
complete -c dsr -n "__fish_dsr_using_subcommand cancel" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dsr -n "__fish_dsr_using_subcommand cancel" -s V -l version -d 'Print version'
complete -c dsr -n "__fish_dsr_using_subcommand download" -l to -d 'Where to put the archives [default: a folder dsr-REQUEST here]' -r -F
complete -c dsr -n "__fish_dsr_using_subcommand download" -l ids -d 'Take the people from this file, read as the sources of `dsr export` are: for a request whose ids the ledger does not keep any more' -r -F
complete -c dsr -n "__fish_dsr_using_subcommand download" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c dsr -n "__fish_dsr_using_subcommand download" -l project -d 'The project to work on; several are worked on one beside the other' -r
complete -c dsr -n "__fish_dsr_using_subcommand download" -l lock-timeout -d 'How long to wait for another dsr that holds the ledger' -r
complete -c dsr -n "__fish_dsr_using_subcommand download" -l again -d 'Fetch again what was fetched before, such as an archive that was lost or damaged'
complete -c dsr -n "__fish_dsr_using_subcommand download" -l split -d 'Make a package for each person, in the folder ARCHIVE-packages beside each archive'
complete -c dsr -n "__fish_dsr_using_subcommand download" -l zip -d 'Pack each person\'s package into a zip'
complete -c dsr -n "__fish_dsr_using_subcommand download" -l json -d 'Print JSON: one object on stdout, a failure as one object on stderr'
complete -c dsr -n "__fish_dsr_using_subcommand download" -s q -l quiet -d 'Say nothing beside the result, warnings and failures'
complete -c dsr -n "__fish_dsr_using_subcommand download" -s v -l verbose -d 'Say more on stderr: -v what is done, -vv each call, -vvv everything'
complete -c dsr -n "__fish_dsr_using_subcommand download" -l no-input -d 'Never ask; fail instead'
complete -c dsr -n "__fish_dsr_using_subcommand download" -l plain -d 'One fact a line, as `name: value`, for screen readers: no columns, no colour, nothing drawn anew'
complete -c dsr -n "__fish_dsr_using_subcommand download" -l sandbox -d 'Rehearse against the built-in sandbox: no account, no network, nothing real'
complete -c dsr -n "__fish_dsr_using_subcommand download" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dsr -n "__fish_dsr_using_subcommand download" -s V -l version -d 'Print version'
complete -c dsr -n "__fish_dsr_using_subcommand extend" -l reason -d 'Why it takes longer, as the person is told; kept in the ledger, so without personal data' -r
complete -c dsr -n "__fish_dsr_using_subcommand extend" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c dsr -n "__fish_dsr_using_subcommand extend" -l project -d 'The project to work on; several are worked on one beside the other' -r
complete -c dsr -n "__fish_dsr_using_subcommand extend" -l lock-timeout -d 'How long to wait for another dsr that holds the ledger' -r
complete -c dsr -n "__fish_dsr_using_subcommand extend" -l json -d 'Print JSON: one object on stdout, a failure as one object on stderr'
complete -c dsr -n "__fish_dsr_using_subcommand extend" -s q -l quiet -d 'Say nothing beside the result, warnings and failures'
complete -c dsr -n "__fish_dsr_using_subcommand extend" -s v -l verbose -d 'Say more on stderr: -v what is done, -vv each call, -vvv everything'
complete -c dsr -n "__fish_dsr_using_subcommand extend" -l no-input -d 'Never ask; fail instead'
complete -c dsr -n "__fish_dsr_using_subcommand extend" -l plain -d 'One fact a line, as `name: value`, for screen readers: no columns, no colour, nothing drawn anew'
complete -c dsr -n "__fish_dsr_using_subcommand extend" -l sandbox -d 'Rehearse against the built-in sandbox: no account, no network, nothing real'
complete -c dsr -n "__fish_dsr_using_subcommand extend" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dsr -n "__fish_dsr_using_subcommand extend" -s V -l version -d 'Print version'
complete -c dsr -n "__fish_dsr_using_subcommand find" -l file -d 'A file, whatever its name looks like' -r -F
complete -c dsr -n "__fish_dsr_using_subcommand find" -l id -d 'One distinct_id, whatever it looks like' -r
complete -c dsr -n "__fish_dsr_using_subcommand find" -l format -d 'How files and standard input are read [default: recognised]' -r -f -a "csv\t'A table with any delimiter'
tsv\t'A table with tabs'
jsonl\t'One JSON object, text or whole number a line'
json\t'One JSON array'
text\t'Each line is an id, byte for byte'"
complete -c dsr -n "__fish_dsr_using_subcommand find" -l column -d 'The column that holds the ids: its name, or its number counted from 1; in JSON the key, or OUTER.KEY' -r
complete -c dsr -n "__fish_dsr_using_subcommand find" -l delimiter -d 'What parts the fields: one character, or `tab` [default: recognised]' -r
complete -c dsr -n "__fish_dsr_using_subcommand find" -l encoding -d 'The encoding of text without a byte order mark, such as `windows-1252` [default: utf-8]' -r
complete -c dsr -n "__fish_dsr_using_subcommand find" -l allow -d 'Take this very value for an id, whatever it looks like; may be given several times' -r
complete -c dsr -n "__fish_dsr_using_subcommand find" -l expect-pattern -d 'Refuse ids that this regular expression does not match whole, such as `user-\\d{6}`' -r
complete -c dsr -n "__fish_dsr_using_subcommand find" -l hash -d 'Hash each value, and send the hash as small hex digits in its place' -r -f -a "sha256\t''
sha1\t''
md5\t''
hmac-sha256\t'With a key'"
complete -c dsr -n "__fish_dsr_using_subcommand find" -l hash-key-file -d 'The key of HMAC: a file that only its owner can read [default: the keyring\'s]' -r -F
complete -c dsr -n "__fish_dsr_using_subcommand find" -l hash-prefix -d 'Put this before the hex digits' -r
complete -c dsr -n "__fish_dsr_using_subcommand find" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c dsr -n "__fish_dsr_using_subcommand find" -l project -d 'The project to work on; several are worked on one beside the other' -r
complete -c dsr -n "__fish_dsr_using_subcommand find" -l lock-timeout -d 'How long to wait for another dsr that holds the ledger' -r
complete -c dsr -n "__fish_dsr_using_subcommand find" -l exit-status -d 'End with status 1 if somebody is not found'
complete -c dsr -n "__fish_dsr_using_subcommand find" -l no-header -d 'The first line is an id already, not a heading'
complete -c dsr -n "__fish_dsr_using_subcommand find" -l trim -d 'Drop white space around ids, in place of refusing them'
complete -c dsr -n "__fish_dsr_using_subcommand find" -l keep-whitespace -d 'Keep white space around ids: Mixpanel has them so'
complete -c dsr -n "__fish_dsr_using_subcommand find" -l show-warnings -d 'List each line that is warned of'
complete -c dsr -n "__fish_dsr_using_subcommand find" -l hash-lowercase -d 'Lower-case each value first, by Unicode\'s rules, as toLowerCase of JavaScript does'
complete -c dsr -n "__fish_dsr_using_subcommand find" -l json -d 'Print JSON: one object on stdout, a failure as one object on stderr'
complete -c dsr -n "__fish_dsr_using_subcommand find" -s q -l quiet -d 'Say nothing beside the result, warnings and failures'
complete -c dsr -n "__fish_dsr_using_subcommand find" -s v -l verbose -d 'Say more on stderr: -v what is done, -vv each call, -vvv everything'
complete -c dsr -n "__fish_dsr_using_subcommand find" -l no-input -d 'Never ask; fail instead'
complete -c dsr -n "__fish_dsr_using_subcommand find" -l plain -d 'One fact a line, as `name: value`, for screen readers: no columns, no colour, nothing drawn anew'
complete -c dsr -n "__fish_dsr_using_subcommand find" -l sandbox -d 'Rehearse against the built-in sandbox: no account, no network, nothing real'
complete -c dsr -n "__fish_dsr_using_subcommand find" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dsr -n "__fish_dsr_using_subcommand find" -s V -l version -d 'Print version'
complete -c dsr -n "__fish_dsr_using_subcommand report" -l from -d 'Requests received on this day or later [default: 24 months before the last day]' -r
complete -c dsr -n "__fish_dsr_using_subcommand report" -l to -d 'Requests received on this day or before [default: today]' -r
complete -c dsr -n "__fish_dsr_using_subcommand report" -l year -d 'Requests received in this calendar year' -r
complete -c dsr -n "__fish_dsr_using_subcommand report" -l format -d 'What to make [default: what the name of --output ends in, else html]' -r -f -a "html\t'A page that needs nothing from outside'
csv\t'A line each job, or each request'
json\t'One object'"
complete -c dsr -n "__fish_dsr_using_subcommand report" -s o -l output -d 'Write to this file, which must not exist; `-` is standard output' -r -F
complete -c dsr -n "__fish_dsr_using_subcommand report" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c dsr -n "__fish_dsr_using_subcommand report" -l project -d 'The project to work on; several are worked on one beside the other' -r
complete -c dsr -n "__fish_dsr_using_subcommand report" -l lock-timeout -d 'How long to wait for another dsr that holds the ledger' -r
complete -c dsr -n "__fish_dsr_using_subcommand report" -l with-ids -d 'Put the ids of the request\'s jobs in, as far as they are still kept: personal data'
complete -c dsr -n "__fish_dsr_using_subcommand report" -l json -d 'Print JSON: one object on stdout, a failure as one object on stderr'
complete -c dsr -n "__fish_dsr_using_subcommand report" -s q -l quiet -d 'Say nothing beside the result, warnings and failures'
complete -c dsr -n "__fish_dsr_using_subcommand report" -s v -l verbose -d 'Say more on stderr: -v what is done, -vv each call, -vvv everything'
complete -c dsr -n "__fish_dsr_using_subcommand report" -l no-input -d 'Never ask; fail instead'
complete -c dsr -n "__fish_dsr_using_subcommand report" -l plain -d 'One fact a line, as `name: value`, for screen readers: no columns, no colour, nothing drawn anew'
complete -c dsr -n "__fish_dsr_using_subcommand report" -l sandbox -d 'Rehearse against the built-in sandbox: no account, no network, nothing real'
complete -c dsr -n "__fish_dsr_using_subcommand report" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dsr -n "__fish_dsr_using_subcommand report" -s V -l version -d 'Print version'
complete -c dsr -n "__fish_dsr_using_subcommand audit; and not __fish_seen_subcommand_from verify head log" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c dsr -n "__fish_dsr_using_subcommand audit; and not __fish_seen_subcommand_from verify head log" -l project -d 'The project to work on; several are worked on one beside the other' -r
complete -c dsr -n "__fish_dsr_using_subcommand audit; and not __fish_seen_subcommand_from verify head log" -l lock-timeout -d 'How long to wait for another dsr that holds the ledger' -r
complete -c dsr -n "__fish_dsr_using_subcommand audit; and not __fish_seen_subcommand_from verify head log" -l json -d 'Print JSON: one object on stdout, a failure as one object on stderr'
complete -c dsr -n "__fish_dsr_using_subcommand audit; and not __fish_seen_subcommand_from verify head log" -s q -l quiet -d 'Say nothing beside the result, warnings and failures'
complete -c dsr -n "__fish_dsr_using_subcommand audit; and not __fish_seen_subcommand_from verify head log" -s v -l verbose -d 'Say more on stderr: -v what is done, -vv each call, -vvv everything'
complete -c dsr -n "__fish_dsr_using_subcommand audit; and not __fish_seen_subcommand_from verify head log" -l no-input -d 'Never ask; fail instead'
complete -c dsr -n "__fish_dsr_using_subcommand audit; and not __fish_seen_subcommand_from verify head log" -l plain -d 'One fact a line, as `name: value`, for screen readers: no columns, no colour, nothing drawn anew'
complete -c dsr -n "__fish_dsr_using_subcommand audit; and not __fish_seen_subcommand_from verify head log" -l sandbox -d 'Rehearse against the built-in sandbox: no account, no network, nothing real'
complete -c dsr -n "__fish_dsr_using_subcommand audit; and not __fish_seen_subcommand_from verify head log" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dsr -n "__fish_dsr_using_subcommand audit; and not __fish_seen_subcommand_from verify head log" -s V -l version -d 'Print version'
complete -c dsr -n "__fish_dsr_using_subcommand audit; and not __fish_seen_subcommand_from verify head log" -f -a "verify" -d 'Read the whole trail, and tell what does not fit'
complete -c dsr -n "__fish_dsr_using_subcommand audit; and not __fish_seen_subcommand_from verify head log" -f -a "head" -d 'Print how far the trail goes, in one line: what to keep elsewhere'
complete -c dsr -n "__fish_dsr_using_subcommand audit; and not __fish_seen_subcommand_from verify head log" -f -a "log" -d 'Show entries of the trail: all of one request, or the last ones'
complete -c dsr -n "__fish_dsr_using_subcommand audit; and __fish_seen_subcommand_from verify" -l head -d 'A head that was kept elsewhere, or a file of such lines, or `-`; may be given several times' -r
complete -c dsr -n "__fish_dsr_using_subcommand audit; and __fish_seen_subcommand_from verify" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c dsr -n "__fish_dsr_using_subcommand audit; and __fish_seen_subcommand_from verify" -l project -d 'The project to work on; several are worked on one beside the other' -r
complete -c dsr -n "__fish_dsr_using_subcommand audit; and __fish_seen_subcommand_from verify" -l lock-timeout -d 'How long to wait for another dsr that holds the ledger' -r
complete -c dsr -n "__fish_dsr_using_subcommand audit; and __fish_seen_subcommand_from verify" -l json -d 'Print JSON: one object on stdout, a failure as one object on stderr'
complete -c dsr -n "__fish_dsr_using_subcommand audit; and __fish_seen_subcommand_from verify" -s q -l quiet -d 'Say nothing beside the result, warnings and failures'
complete -c dsr -n "__fish_dsr_using_subcommand audit; and __fish_seen_subcommand_from verify" -s v -l verbose -d 'Say more on stderr: -v what is done, -vv each call, -vvv everything'
complete -c dsr -n "__fish_dsr_using_subcommand audit; and __fish_seen_subcommand_from verify" -l no-input -d 'Never ask; fail instead'
complete -c dsr -n "__fish_dsr_using_subcommand audit; and __fish_seen_subcommand_from verify" -l plain -d 'One fact a line, as `name: value`, for screen readers: no columns, no colour, nothing drawn anew'
complete -c dsr -n "__fish_dsr_using_subcommand audit; and __fish_seen_subcommand_from verify" -l sandbox -d 'Rehearse against the built-in sandbox: no account, no network, nothing real'
complete -c dsr -n "__fish_dsr_using_subcommand audit; and __fish_seen_subcommand_from verify" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dsr -n "__fish_dsr_using_subcommand audit; and __fish_seen_subcommand_from verify" -s V -l version -d 'Print version'
complete -c dsr -n "__fish_dsr_using_subcommand audit; and __fish_seen_subcommand_from head" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c dsr -n "__fish_dsr_using_subcommand audit; and __fish_seen_subcommand_from head" -l project -d 'The project to work on; several are worked on one beside the other' -r
complete -c dsr -n "__fish_dsr_using_subcommand audit; and __fish_seen_subcommand_from head" -l lock-timeout -d 'How long to wait for another dsr that holds the ledger' -r
complete -c dsr -n "__fish_dsr_using_subcommand audit; and __fish_seen_subcommand_from head" -l json -d 'Print JSON: one object on stdout, a failure as one object on stderr'
complete -c dsr -n "__fish_dsr_using_subcommand audit; and __fish_seen_subcommand_from head" -s q -l quiet -d 'Say nothing beside the result, warnings and failures'
complete -c dsr -n "__fish_dsr_using_subcommand audit; and __fish_seen_subcommand_from head" -s v -l verbose -d 'Say more on stderr: -v what is done, -vv each call, -vvv everything'
complete -c dsr -n "__fish_dsr_using_subcommand audit; and __fish_seen_subcommand_from head" -l no-input -d 'Never ask; fail instead'
complete -c dsr -n "__fish_dsr_using_subcommand audit; and __fish_seen_subcommand_from head" -l plain -d 'One fact a line, as `name: value`, for screen readers: no columns, no colour, nothing drawn anew'
complete -c dsr -n "__fish_dsr_using_subcommand audit; and __fish_seen_subcommand_from head" -l sandbox -d 'Rehearse against the built-in sandbox: no account, no network, nothing real'
complete -c dsr -n "__fish_dsr_using_subcommand audit; and __fish_seen_subcommand_from head" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dsr -n "__fish_dsr_using_subcommand audit; and __fish_seen_subcommand_from head" -s V -l version -d 'Print version'
complete -c dsr -n "__fish_dsr_using_subcommand audit; and __fish_seen_subcommand_from log" -l last -d 'How many of the last entries to show' -r
complete -c dsr -n "__fish_dsr_using_subcommand audit; and __fish_seen_subcommand_from log" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c dsr -n "__fish_dsr_using_subcommand audit; and __fish_seen_subcommand_from log" -l project -d 'The project to work on; several are worked on one beside the other' -r
complete -c dsr -n "__fish_dsr_using_subcommand audit; and __fish_seen_subcommand_from log" -l lock-timeout -d 'How long to wait for another dsr that holds the ledger' -r
complete -c dsr -n "__fish_dsr_using_subcommand audit; and __fish_seen_subcommand_from log" -l json -d 'Print JSON: one object on stdout, a failure as one object on stderr'
complete -c dsr -n "__fish_dsr_using_subcommand audit; and __fish_seen_subcommand_from log" -s q -l quiet -d 'Say nothing beside the result, warnings and failures'
complete -c dsr -n "__fish_dsr_using_subcommand audit; and __fish_seen_subcommand_from log" -s v -l verbose -d 'Say more on stderr: -v what is done, -vv each call, -vvv everything'
complete -c dsr -n "__fish_dsr_using_subcommand audit; and __fish_seen_subcommand_from log" -l no-input -d 'Never ask; fail instead'
complete -c dsr -n "__fish_dsr_using_subcommand audit; and __fish_seen_subcommand_from log" -l plain -d 'One fact a line, as `name: value`, for screen readers: no columns, no colour, nothing drawn anew'
complete -c dsr -n "__fish_dsr_using_subcommand audit; and __fish_seen_subcommand_from log" -l sandbox -d 'Rehearse against the built-in sandbox: no account, no network, nothing real'
complete -c dsr -n "__fish_dsr_using_subcommand audit; and __fish_seen_subcommand_from log" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dsr -n "__fish_dsr_using_subcommand audit; and __fish_seen_subcommand_from log" -s V -l version -d 'Print version'
complete -c dsr -n "__fish_dsr_using_subcommand suppressions; and not __fish_seen_subcommand_from export check" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c dsr -n "__fish_dsr_using_subcommand suppressions; and not __fish_seen_subcommand_from export check" -l project -d 'The project to work on; several are worked on one beside the other' -r
complete -c dsr -n "__fish_dsr_using_subcommand suppressions; and not __fish_seen_subcommand_from export check" -l lock-timeout -d 'How long to wait for another dsr that holds the ledger' -r
complete -c dsr -n "__fish_dsr_using_subcommand suppressions; and not __fish_seen_subcommand_from export check" -l json -d 'Print JSON: one object on stdout, a failure as one object on stderr'
complete -c dsr -n "__fish_dsr_using_subcommand suppressions; and not __fish_seen_subcommand_from export check" -s q -l quiet -d 'Say nothing beside the result, warnings and failures'
complete -c dsr -n "__fish_dsr_using_subcommand suppressions; and not __fish_seen_subcommand_from export check" -s v -l verbose -d 'Say more on stderr: -v what is done, -vv each call, -vvv everything'
complete -c dsr -n "__fish_dsr_using_subcommand suppressions; and not __fish_seen_subcommand_from export check" -l no-input -d 'Never ask; fail instead'
complete -c dsr -n "__fish_dsr_using_subcommand suppressions; and not __fish_seen_subcommand_from export check" -l plain -d 'One fact a line, as `name: value`, for screen readers: no columns, no colour, nothing drawn anew'
complete -c dsr -n "__fish_dsr_using_subcommand suppressions; and not __fish_seen_subcommand_from export check" -l sandbox -d 'Rehearse against the built-in sandbox: no account, no network, nothing real'
complete -c dsr -n "__fish_dsr_using_subcommand suppressions; and not __fish_seen_subcommand_from export check" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dsr -n "__fish_dsr_using_subcommand suppressions; and not __fish_seen_subcommand_from export check" -s V -l version -d 'Print version'
complete -c dsr -n "__fish_dsr_using_subcommand suppressions; and not __fish_seen_subcommand_from export check" -f -a "export" -d 'Write the list of people not to track again'
complete -c dsr -n "__fish_dsr_using_subcommand suppressions; and not __fish_seen_subcommand_from export check" -f -a "check" -d 'Find erased people in files of events: who was collected again'
complete -c dsr -n "__fish_dsr_using_subcommand suppressions; and __fish_seen_subcommand_from export" -l format -d 'What the list is written as [default: text; with --ids jsonl]' -r -f -a "text\t'A hash a line, and lines with `#` that say what it is'
csv\t'A table of hash, project, erasure and key'
jsonl\t'A JSON object a line'"
complete -c dsr -n "__fish_dsr_using_subcommand suppressions; and __fish_seen_subcommand_from export" -l output -d 'Write the list to this file, for nobody else to read, in place of standard output' -r -F
complete -c dsr -n "__fish_dsr_using_subcommand suppressions; and __fish_seen_subcommand_from export" -l since -d 'Only people of deletions that were sent on this day or later (UTC)' -r
complete -c dsr -n "__fish_dsr_using_subcommand suppressions; and __fish_seen_subcommand_from export" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c dsr -n "__fish_dsr_using_subcommand suppressions; and __fish_seen_subcommand_from export" -l project -d 'The project to work on; several are worked on one beside the other' -r
complete -c dsr -n "__fish_dsr_using_subcommand suppressions; and __fish_seen_subcommand_from export" -l lock-timeout -d 'How long to wait for another dsr that holds the ledger' -r
complete -c dsr -n "__fish_dsr_using_subcommand suppressions; and __fish_seen_subcommand_from export" -l replace -d 'Put the new list in the place of the file that is there'
complete -c dsr -n "__fish_dsr_using_subcommand suppressions; and __fish_seen_subcommand_from export" -l ids -d 'Show ids, as far as the ledger still keeps them: personal data'
complete -c dsr -n "__fish_dsr_using_subcommand suppressions; and __fish_seen_subcommand_from export" -l json -d 'Print JSON: one object on stdout, a failure as one object on stderr'
complete -c dsr -n "__fish_dsr_using_subcommand suppressions; and __fish_seen_subcommand_from export" -s q -l quiet -d 'Say nothing beside the result, warnings and failures'
complete -c dsr -n "__fish_dsr_using_subcommand suppressions; and __fish_seen_subcommand_from export" -s v -l verbose -d 'Say more on stderr: -v what is done, -vv each call, -vvv everything'
complete -c dsr -n "__fish_dsr_using_subcommand suppressions; and __fish_seen_subcommand_from export" -l no-input -d 'Never ask; fail instead'
complete -c dsr -n "__fish_dsr_using_subcommand suppressions; and __fish_seen_subcommand_from export" -l plain -d 'One fact a line, as `name: value`, for screen readers: no columns, no colour, nothing drawn anew'
complete -c dsr -n "__fish_dsr_using_subcommand suppressions; and __fish_seen_subcommand_from export" -l sandbox -d 'Rehearse against the built-in sandbox: no account, no network, nothing real'
complete -c dsr -n "__fish_dsr_using_subcommand suppressions; and __fish_seen_subcommand_from export" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dsr -n "__fish_dsr_using_subcommand suppressions; and __fish_seen_subcommand_from export" -s V -l version -d 'Print version'
complete -c dsr -n "__fish_dsr_using_subcommand suppressions; and __fish_seen_subcommand_from check" -l format -d 'How the files are read [default: recognised]' -r -f -a "csv\t'A table with a heading'
jsonl\t'One JSON object a line'
json\t'One JSON array'"
complete -c dsr -n "__fish_dsr_using_subcommand suppressions; and __fish_seen_subcommand_from check" -l column -d 'What names the person, in place of the known names: a column or key, or OUTER.KEY' -r
complete -c dsr -n "__fish_dsr_using_subcommand suppressions; and __fish_seen_subcommand_from check" -l time-column -d 'What says when an event came, in place of the known names' -r
complete -c dsr -n "__fish_dsr_using_subcommand suppressions; and __fish_seen_subcommand_from check" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c dsr -n "__fish_dsr_using_subcommand suppressions; and __fish_seen_subcommand_from check" -l project -d 'The project to work on; several are worked on one beside the other' -r
complete -c dsr -n "__fish_dsr_using_subcommand suppressions; and __fish_seen_subcommand_from check" -l lock-timeout -d 'How long to wait for another dsr that holds the ledger' -r
complete -c dsr -n "__fish_dsr_using_subcommand suppressions; and __fish_seen_subcommand_from check" -l exit-status -d 'End with status 1 if somebody was collected again, or else with 5 if lines were damaged'
complete -c dsr -n "__fish_dsr_using_subcommand suppressions; and __fish_seen_subcommand_from check" -l json -d 'Print JSON: one object on stdout, a failure as one object on stderr'
complete -c dsr -n "__fish_dsr_using_subcommand suppressions; and __fish_seen_subcommand_from check" -s q -l quiet -d 'Say nothing beside the result, warnings and failures'
complete -c dsr -n "__fish_dsr_using_subcommand suppressions; and __fish_seen_subcommand_from check" -s v -l verbose -d 'Say more on stderr: -v what is done, -vv each call, -vvv everything'
complete -c dsr -n "__fish_dsr_using_subcommand suppressions; and __fish_seen_subcommand_from check" -l no-input -d 'Never ask; fail instead'
complete -c dsr -n "__fish_dsr_using_subcommand suppressions; and __fish_seen_subcommand_from check" -l plain -d 'One fact a line, as `name: value`, for screen readers: no columns, no colour, nothing drawn anew'
complete -c dsr -n "__fish_dsr_using_subcommand suppressions; and __fish_seen_subcommand_from check" -l sandbox -d 'Rehearse against the built-in sandbox: no account, no network, nothing real'
complete -c dsr -n "__fish_dsr_using_subcommand suppressions; and __fish_seen_subcommand_from check" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dsr -n "__fish_dsr_using_subcommand suppressions; and __fish_seen_subcommand_from check" -s V -l version -d 'Print version'
complete -c dsr -n "__fish_dsr_using_subcommand guide" -l sdk -d 'Tell of this SDK only' -r -f -a "javascript\t'Websites: mixpanel-js'
ios\t'Apps in Objective-C: mixpanel-iphone'
swift\t'Apps in Swift: mixpanel-swift'
android\t'Apps for Android: mixpanel-android'
react-native\t'Apps in React Native: mixpanel-react-native'
server\t'Servers: mixpanel-python, mixpanel-node, mixpanel-java'"
complete -c dsr -n "__fish_dsr_using_subcommand guide" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c dsr -n "__fish_dsr_using_subcommand guide" -l project -d 'The project to work on; several are worked on one beside the other' -r
complete -c dsr -n "__fish_dsr_using_subcommand guide" -l lock-timeout -d 'How long to wait for another dsr that holds the ledger' -r
complete -c dsr -n "__fish_dsr_using_subcommand guide" -l json -d 'Print JSON: one object on stdout, a failure as one object on stderr'
complete -c dsr -n "__fish_dsr_using_subcommand guide" -s q -l quiet -d 'Say nothing beside the result, warnings and failures'
complete -c dsr -n "__fish_dsr_using_subcommand guide" -s v -l verbose -d 'Say more on stderr: -v what is done, -vv each call, -vvv everything'
complete -c dsr -n "__fish_dsr_using_subcommand guide" -l no-input -d 'Never ask; fail instead'
complete -c dsr -n "__fish_dsr_using_subcommand guide" -l plain -d 'One fact a line, as `name: value`, for screen readers: no columns, no colour, nothing drawn anew'
complete -c dsr -n "__fish_dsr_using_subcommand guide" -l sandbox -d 'Rehearse against the built-in sandbox: no account, no network, nothing real'
complete -c dsr -n "__fish_dsr_using_subcommand guide" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dsr -n "__fish_dsr_using_subcommand guide" -s V -l version -d 'Print version'
complete -c dsr -n "__fish_dsr_using_subcommand doctor" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c dsr -n "__fish_dsr_using_subcommand doctor" -l project -d 'The project to work on; several are worked on one beside the other' -r
complete -c dsr -n "__fish_dsr_using_subcommand doctor" -l lock-timeout -d 'How long to wait for another dsr that holds the ledger' -r
complete -c dsr -n "__fish_dsr_using_subcommand doctor" -l offline -d 'Ask nobody but this machine'
complete -c dsr -n "__fish_dsr_using_subcommand doctor" -l json -d 'Print JSON: one object on stdout, a failure as one object on stderr'
complete -c dsr -n "__fish_dsr_using_subcommand doctor" -s q -l quiet -d 'Say nothing beside the result, warnings and failures'
complete -c dsr -n "__fish_dsr_using_subcommand doctor" -s v -l verbose -d 'Say more on stderr: -v what is done, -vv each call, -vvv everything'
complete -c dsr -n "__fish_dsr_using_subcommand doctor" -l no-input -d 'Never ask; fail instead'
complete -c dsr -n "__fish_dsr_using_subcommand doctor" -l plain -d 'One fact a line, as `name: value`, for screen readers: no columns, no colour, nothing drawn anew'
complete -c dsr -n "__fish_dsr_using_subcommand doctor" -l sandbox -d 'Rehearse against the built-in sandbox: no account, no network, nothing real'
complete -c dsr -n "__fish_dsr_using_subcommand doctor" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dsr -n "__fish_dsr_using_subcommand doctor" -s V -l version -d 'Print version'
complete -c dsr -n "__fish_dsr_using_subcommand project; and not __fish_seen_subcommand_from add list show use secret remove" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c dsr -n "__fish_dsr_using_subcommand project; and not __fish_seen_subcommand_from add list show use secret remove" -l project -d 'The project to work on; several are worked on one beside the other' -r
complete -c dsr -n "__fish_dsr_using_subcommand project; and not __fish_seen_subcommand_from add list show use secret remove" -l lock-timeout -d 'How long to wait for another dsr that holds the ledger' -r
complete -c dsr -n "__fish_dsr_using_subcommand project; and not __fish_seen_subcommand_from add list show use secret remove" -l json -d 'Print JSON: one object on stdout, a failure as one object on stderr'
complete -c dsr -n "__fish_dsr_using_subcommand project; and not __fish_seen_subcommand_from add list show use secret remove" -s q -l quiet -d 'Say nothing beside the result, warnings and failures'
complete -c dsr -n "__fish_dsr_using_subcommand project; and not __fish_seen_subcommand_from add list show use secret remove" -s v -l verbose -d 'Say more on stderr: -v what is done, -vv each call, -vvv everything'
complete -c dsr -n "__fish_dsr_using_subcommand project; and not __fish_seen_subcommand_from add list show use secret remove" -l no-input -d 'Never ask; fail instead'
complete -c dsr -n "__fish_dsr_using_subcommand project; and not __fish_seen_subcommand_from add list show use secret remove" -l plain -d 'One fact a line, as `name: value`, for screen readers: no columns, no colour, nothing drawn anew'
complete -c dsr -n "__fish_dsr_using_subcommand project; and not __fish_seen_subcommand_from add list show use secret remove" -l sandbox -d 'Rehearse against the built-in sandbox: no account, no network, nothing real'
complete -c dsr -n "__fish_dsr_using_subcommand project; and not __fish_seen_subcommand_from add list show use secret remove" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dsr -n "__fish_dsr_using_subcommand project; and not __fish_seen_subcommand_from add list show use secret remove" -s V -l version -d 'Print version'
complete -c dsr -n "__fish_dsr_using_subcommand project; and not __fish_seen_subcommand_from add list show use secret remove" -f -a "add" -d 'Add a project'
complete -c dsr -n "__fish_dsr_using_subcommand project; and not __fish_seen_subcommand_from add list show use secret remove" -f -a "list" -d 'List the projects'
complete -c dsr -n "__fish_dsr_using_subcommand project; and not __fish_seen_subcommand_from add list show use secret remove" -f -a "show" -d 'Show a project\'s settings and where each comes from'
complete -c dsr -n "__fish_dsr_using_subcommand project; and not __fish_seen_subcommand_from add list show use secret remove" -f -a "use" -d 'Make a project the default'
complete -c dsr -n "__fish_dsr_using_subcommand project; and not __fish_seen_subcommand_from add list show use secret remove" -f -a "secret" -d 'Keep a project\'s API secret in the keyring'
complete -c dsr -n "__fish_dsr_using_subcommand project; and not __fish_seen_subcommand_from add list show use secret remove" -f -a "remove" -d 'Remove a project from the config file, and its API secret from the keyring'
complete -c dsr -n "__fish_dsr_using_subcommand project; and __fish_seen_subcommand_from add" -l region -d 'Where its data lives' -r -f -a "us\t'United States (mixpanel.com)'
eu\t'European Union (eu.mixpanel.com)'
in\t'India (in.mixpanel.com)'"
complete -c dsr -n "__fish_dsr_using_subcommand project; and __fish_seen_subcommand_from add" -l data-groups -d 'How many data groups (group keys) it has: more of them make deletions smaller' -r
complete -c dsr -n "__fish_dsr_using_subcommand project; and __fish_seen_subcommand_from add" -l delete-batch -d 'The most ids of one deletion, 1 to 2000 [default: 500]' -r
complete -c dsr -n "__fish_dsr_using_subcommand project; and __fish_seen_subcommand_from add" -l export-batch -d 'The most ids of one export, 1 to 2000 [default: 2000]' -r
complete -c dsr -n "__fish_dsr_using_subcommand project; and __fish_seen_subcommand_from add" -l rate -d 'Requests a second that Mixpanel allows [default: 1]' -r
complete -c dsr -n "__fish_dsr_using_subcommand project; and __fish_seen_subcommand_from add" -l holiday -d 'A public holiday, on which no period of the GDPR ends; may be repeated' -r
complete -c dsr -n "__fish_dsr_using_subcommand project; and __fish_seen_subcommand_from add" -l approvals -d 'How many others must approve a deletion before it is sent; see `dsr approve` [default: 0]' -r
complete -c dsr -n "__fish_dsr_using_subcommand project; and __fish_seen_subcommand_from add" -l auth -d 'The OAuth token of its calls, by the name `dsr auth login --name` gave it [default: the default one]' -r
complete -c dsr -n "__fish_dsr_using_subcommand project; and __fish_seen_subcommand_from add" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c dsr -n "__fish_dsr_using_subcommand project; and __fish_seen_subcommand_from add" -l project -d 'The project to work on; several are worked on one beside the other' -r
complete -c dsr -n "__fish_dsr_using_subcommand project; and __fish_seen_subcommand_from add" -l lock-timeout -d 'How long to wait for another dsr that holds the ledger' -r
complete -c dsr -n "__fish_dsr_using_subcommand project; and __fish_seen_subcommand_from add" -l with-token -d 'Read the project token from standard input'
complete -c dsr -n "__fish_dsr_using_subcommand project; and __fish_seen_subcommand_from add" -l json -d 'Print JSON: one object on stdout, a failure as one object on stderr'
complete -c dsr -n "__fish_dsr_using_subcommand project; and __fish_seen_subcommand_from add" -s q -l quiet -d 'Say nothing beside the result, warnings and failures'
complete -c dsr -n "__fish_dsr_using_subcommand project; and __fish_seen_subcommand_from add" -s v -l verbose -d 'Say more on stderr: -v what is done, -vv each call, -vvv everything'
complete -c dsr -n "__fish_dsr_using_subcommand project; and __fish_seen_subcommand_from add" -l no-input -d 'Never ask; fail instead'
complete -c dsr -n "__fish_dsr_using_subcommand project; and __fish_seen_subcommand_from add" -l plain -d 'One fact a line, as `name: value`, for screen readers: no columns, no colour, nothing drawn anew'
complete -c dsr -n "__fish_dsr_using_subcommand project; and __fish_seen_subcommand_from add" -l sandbox -d 'Rehearse against the built-in sandbox: no account, no network, nothing real'
complete -c dsr -n "__fish_dsr_using_subcommand project; and __fish_seen_subcommand_from add" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dsr -n "__fish_dsr_using_subcommand project; and __fish_seen_subcommand_from add" -s V -l version -d 'Print version'
complete -c dsr -n "__fish_dsr_using_subcommand project; and __fish_seen_subcommand_from list" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c dsr -n "__fish_dsr_using_subcommand project; and __fish_seen_subcommand_from list" -l project -d 'The project to work on; several are worked on one beside the other' -r
complete -c dsr -n "__fish_dsr_using_subcommand project; and __fish_seen_subcommand_from list" -l lock-timeout -d 'How long to wait for another dsr that holds the ledger' -r
complete -c dsr -n "__fish_dsr_using_subcommand project; and __fish_seen_subcommand_from list" -l json -d 'Print JSON: one object on stdout, a failure as one object on stderr'
complete -c dsr -n "__fish_dsr_using_subcommand project; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Say nothing beside the result, warnings and failures'
complete -c dsr -n "__fish_dsr_using_subcommand project; and __fish_seen_subcommand_from list" -s v -l verbose -d 'Say more on stderr: -v what is done, -vv each call, -vvv everything'
complete -c dsr -n "__fish_dsr_using_subcommand project; and __fish_seen_subcommand_from list" -l no-input -d 'Never ask; fail instead'
complete -c dsr -n "__fish_dsr_using_subcommand project; and __fish_seen_subcommand_from list" -l plain -d 'One fact a line, as `name: value`, for screen readers: no columns, no colour, nothing drawn anew'
complete -c dsr -n "__fish_dsr_using_subcommand project; and __fish_seen_subcommand_from list" -l sandbox -d 'Rehearse against the built-in sandbox: no account, no network, nothing real'
complete -c dsr -n "__fish_dsr_using_subcommand project; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help'
complete -c dsr -n "__fish_dsr_using_subcommand project; and __fish_seen_subcommand_from list" -s V -l version -d 'Print version'
complete -c dsr -n "__fish_dsr_using_subcommand project; and __fish_seen_subcommand_from show" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c dsr -n "__fish_dsr_using_subcommand project; and __fish_seen_subcommand_from show" -l project -d 'The project to work on; several are worked on one beside the other' -r
complete -c dsr -n "__fish_dsr_using_subcommand project; and __fish_seen_subcommand_from show" -l lock-timeout -d 'How long to wait for another dsr that holds the ledger' -r
complete -c dsr -n "__fish_dsr_using_subcommand project; and __fish_seen_subcommand_from show" -l json -d 'Print JSON: one object on stdout, a failure as one object on stderr'
complete -c dsr -n "__fish_dsr_using_subcommand project; and __fish_seen_subcommand_from show" -s q -l quiet -d 'Say nothing beside the result, warnings and failures'
complete -c dsr -n "__fish_dsr_using_subcommand project; and __fish_seen_subcommand_from show" -s v -l verbose -d 'Say more on stderr: -v what is done, -vv each call, -vvv everything'
complete -c dsr -n "__fish_dsr_using_subcommand project; and __fish_seen_subcommand_from show" -l no-input -d 'Never ask; fail instead'
complete -c dsr -n "__fish_dsr_using_subcommand project; and __fish_seen_subcommand_from show" -l plain -d 'One fact a line, as `name: value`, for screen readers: no columns, no colour, nothing drawn anew'
complete -c dsr -n "__fish_dsr_using_subcommand project; and __fish_seen_subcommand_from show" -l sandbox -d 'Rehearse against the built-in sandbox: no account, no network, nothing real'
complete -c dsr -n "__fish_dsr_using_subcommand project; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help'
complete -c dsr -n "__fish_dsr_using_subcommand project; and __fish_seen_subcommand_from show" -s V -l version -d 'Print version'
complete -c dsr -n "__fish_dsr_using_subcommand project; and __fish_seen_subcommand_from use" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c dsr -n "__fish_dsr_using_subcommand project; and __fish_seen_subcommand_from use" -l project -d 'The project to work on; several are worked on one beside the other' -r
complete -c dsr -n "__fish_dsr_using_subcommand project; and __fish_seen_subcommand_from use" -l lock-timeout -d 'How long to wait for another dsr that holds the ledger' -r
complete -c dsr -n "__fish_dsr_using_subcommand project; and __fish_seen_subcommand_from use" -l json -d 'Print JSON: one object on stdout, a failure as one object on stderr'
complete -c dsr -n "__fish_dsr_using_subcommand project; and __fish_seen_subcommand_from use" -s q -l quiet -d 'Say nothing beside the result, warnings and failures'
complete -c dsr -n "__fish_dsr_using_subcommand project; and __fish_seen_subcommand_from use" -s v -l verbose -d 'Say more on stderr: -v what is done, -vv each call, -vvv everything'
complete -c dsr -n "__fish_dsr_using_subcommand project; and __fish_seen_subcommand_from use" -l no-input -d 'Never ask; fail instead'
complete -c dsr -n "__fish_dsr_using_subcommand project; and __fish_seen_subcommand_from use" -l plain -d 'One fact a line, as `name: value`, for screen readers: no columns, no colour, nothing drawn anew'
complete -c dsr -n "__fish_dsr_using_subcommand project; and __fish_seen_subcommand_from use" -l sandbox -d 'Rehearse against the built-in sandbox: no account, no network, nothing real'
complete -c dsr -n "__fish_dsr_using_subcommand project; and __fish_seen_subcommand_from use" -s h -l help -d 'Print help'
complete -c dsr -n "__fish_dsr_using_subcommand project; and __fish_seen_subcommand_from use" -s V -l version -d 'Print version'
complete -c dsr -n "__fish_dsr_using_subcommand project; and __fish_seen_subcommand_from secret" -l file -d 'Read the secret from a file that only its owner can read' -r -F
complete -c dsr -n "__fish_dsr_using_subcommand project; and __fish_seen_subcommand_from secret" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c dsr -n "__fish_dsr_using_subcommand project; and __fish_seen_subcommand_from secret" -l project -d 'The project to work on; several are worked on one beside the other' -r
complete -c dsr -n "__fish_dsr_using_subcommand project; and __fish_seen_subcommand_from secret" -l lock-timeout -d 'How long to wait for another dsr that holds the ledger' -r
complete -c dsr -n "__fish_dsr_using_subcommand project; and __fish_seen_subcommand_from secret" -l with-secret -d 'Read the secret from standard input'
complete -c dsr -n "__fish_dsr_using_subcommand project; and __fish_seen_subcommand_from secret" -l remove -d 'Forget the secret'
complete -c dsr -n "__fish_dsr_using_subcommand project; and __fish_seen_subcommand_from secret" -l json -d 'Print JSON: one object on stdout, a failure as one object on stderr'
complete -c dsr -n "__fish_dsr_using_subcommand project; and __fish_seen_subcommand_from secret" -s q -l quiet -d 'Say nothing beside the result, warnings and failures'
complete -c dsr -n "__fish_dsr_using_subcommand project; and __fish_seen_subcommand_from secret" -s v -l verbose -d 'Say more on stderr: -v what is done, -vv each call, -vvv everything'
complete -c dsr -n "__fish_dsr_using_subcommand project; and __fish_seen_subcommand_from secret" -l no-input -d 'Never ask; fail instead'
complete -c dsr -n "__fish_dsr_using_subcommand project; and __fish_seen_subcommand_from secret" -l plain -d 'One fact a line, as `name: value`, for screen readers: no columns, no colour, nothing drawn anew'
complete -c dsr -n "__fish_dsr_using_subcommand project; and __fish_seen_subcommand_from secret" -l sandbox -d 'Rehearse against the built-in sandbox: no account, no network, nothing real'
complete -c dsr -n "__fish_dsr_using_subcommand project; and __fish_seen_subcommand_from secret" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dsr -n "__fish_dsr_using_subcommand project; and __fish_seen_subcommand_from secret" -s V -l version -d 'Print version'
complete -c dsr -n "__fish_dsr_using_subcommand project; and __fish_seen_subcommand_from remove" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c dsr -n "__fish_dsr_using_subcommand project; and __fish_seen_subcommand_from remove" -l project -d 'The project to work on; several are worked on one beside the other' -r
complete -c dsr -n "__fish_dsr_using_subcommand project; and __fish_seen_subcommand_from remove" -l lock-timeout -d 'How long to wait for another dsr that holds the ledger' -r
complete -c dsr -n "__fish_dsr_using_subcommand project; and __fish_seen_subcommand_from remove" -l json -d 'Print JSON: one object on stdout, a failure as one object on stderr'
complete -c dsr -n "__fish_dsr_using_subcommand project; and __fish_seen_subcommand_from remove" -s q -l quiet -d 'Say nothing beside the result, warnings and failures'
complete -c dsr -n "__fish_dsr_using_subcommand project; and __fish_seen_subcommand_from remove" -s v -l verbose -d 'Say more on stderr: -v what is done, -vv each call, -vvv everything'
complete -c dsr -n "__fish_dsr_using_subcommand project; and __fish_seen_subcommand_from remove" -l no-input -d 'Never ask; fail instead'
complete -c dsr -n "__fish_dsr_using_subcommand project; and __fish_seen_subcommand_from remove" -l plain -d 'One fact a line, as `name: value`, for screen readers: no columns, no colour, nothing drawn anew'
complete -c dsr -n "__fish_dsr_using_subcommand project; and __fish_seen_subcommand_from remove" -l sandbox -d 'Rehearse against the built-in sandbox: no account, no network, nothing real'
complete -c dsr -n "__fish_dsr_using_subcommand project; and __fish_seen_subcommand_from remove" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dsr -n "__fish_dsr_using_subcommand project; and __fish_seen_subcommand_from remove" -s V -l version -d 'Print version'
complete -c dsr -n "__fish_dsr_using_subcommand auth; and not __fish_seen_subcommand_from login status use logout hash-key ledger-key" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c dsr -n "__fish_dsr_using_subcommand auth; and not __fish_seen_subcommand_from login status use logout hash-key ledger-key" -l project -d 'The project to work on; several are worked on one beside the other' -r
complete -c dsr -n "__fish_dsr_using_subcommand auth; and not __fish_seen_subcommand_from login status use logout hash-key ledger-key" -l lock-timeout -d 'How long to wait for another dsr that holds the ledger' -r
complete -c dsr -n "__fish_dsr_using_subcommand auth; and not __fish_seen_subcommand_from login status use logout hash-key ledger-key" -l json -d 'Print JSON: one object on stdout, a failure as one object on stderr'
complete -c dsr -n "__fish_dsr_using_subcommand auth; and not __fish_seen_subcommand_from login status use logout hash-key ledger-key" -s q -l quiet -d 'Say nothing beside the result, warnings and failures'
complete -c dsr -n "__fish_dsr_using_subcommand auth; and not __fish_seen_subcommand_from login status use logout hash-key ledger-key" -s v -l verbose -d 'Say more on stderr: -v what is done, -vv each call, -vvv everything'
complete -c dsr -n "__fish_dsr_using_subcommand auth; and not __fish_seen_subcommand_from login status use logout hash-key ledger-key" -l no-input -d 'Never ask; fail instead'
complete -c dsr -n "__fish_dsr_using_subcommand auth; and not __fish_seen_subcommand_from login status use logout hash-key ledger-key" -l plain -d 'One fact a line, as `name: value`, for screen readers: no columns, no colour, nothing drawn anew'
complete -c dsr -n "__fish_dsr_using_subcommand auth; and not __fish_seen_subcommand_from login status use logout hash-key ledger-key" -l sandbox -d 'Rehearse against the built-in sandbox: no account, no network, nothing real'
complete -c dsr -n "__fish_dsr_using_subcommand auth; and not __fish_seen_subcommand_from login status use logout hash-key ledger-key" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dsr -n "__fish_dsr_using_subcommand auth; and not __fish_seen_subcommand_from login status use logout hash-key ledger-key" -s V -l version -d 'Print version'
complete -c dsr -n "__fish_dsr_using_subcommand auth; and not __fish_seen_subcommand_from login status use logout hash-key ledger-key" -f -a "login" -d 'Keep a token in the keyring, in place of the one of the same name'
complete -c dsr -n "__fish_dsr_using_subcommand auth; and not __fish_seen_subcommand_from login status use logout hash-key ledger-key" -f -a "status" -d 'Show where tokens come from, how long they are good for, and whether Mixpanel turned one away'
complete -c dsr -n "__fish_dsr_using_subcommand auth; and not __fish_seen_subcommand_from login status use logout hash-key ledger-key" -f -a "use" -d 'Make a token that of all projects that name none'
complete -c dsr -n "__fish_dsr_using_subcommand auth; and not __fish_seen_subcommand_from login status use logout hash-key ledger-key" -f -a "logout" -d 'Forget a token in the keyring'
complete -c dsr -n "__fish_dsr_using_subcommand auth; and not __fish_seen_subcommand_from login status use logout hash-key ledger-key" -f -a "hash-key" -d 'Keep the key of `--hash hmac-sha256` in the keyring'
complete -c dsr -n "__fish_dsr_using_subcommand auth; and not __fish_seen_subcommand_from login status use logout hash-key ledger-key" -f -a "ledger-key" -d 'Show where the key of the ledger\'s hashed ids is, or carry it elsewhere'
complete -c dsr -n "__fish_dsr_using_subcommand auth; and __fish_seen_subcommand_from login" -l name -d 'What to call it, where there are several: letters, digits, `-`, `_`, `.` [default: main]' -r
complete -c dsr -n "__fish_dsr_using_subcommand auth; and __fish_seen_subcommand_from login" -l issued -d 'The day the token was made; it is good for a year from then [default: today]' -r
complete -c dsr -n "__fish_dsr_using_subcommand auth; and __fish_seen_subcommand_from login" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c dsr -n "__fish_dsr_using_subcommand auth; and __fish_seen_subcommand_from login" -l project -d 'The project to work on; several are worked on one beside the other' -r
complete -c dsr -n "__fish_dsr_using_subcommand auth; and __fish_seen_subcommand_from login" -l lock-timeout -d 'How long to wait for another dsr that holds the ledger' -r
complete -c dsr -n "__fish_dsr_using_subcommand auth; and __fish_seen_subcommand_from login" -l with-token -d 'Read the token from standard input'
complete -c dsr -n "__fish_dsr_using_subcommand auth; and __fish_seen_subcommand_from login" -l json -d 'Print JSON: one object on stdout, a failure as one object on stderr'
complete -c dsr -n "__fish_dsr_using_subcommand auth; and __fish_seen_subcommand_from login" -s q -l quiet -d 'Say nothing beside the result, warnings and failures'
complete -c dsr -n "__fish_dsr_using_subcommand auth; and __fish_seen_subcommand_from login" -s v -l verbose -d 'Say more on stderr: -v what is done, -vv each call, -vvv everything'
complete -c dsr -n "__fish_dsr_using_subcommand auth; and __fish_seen_subcommand_from login" -l no-input -d 'Never ask; fail instead'
complete -c dsr -n "__fish_dsr_using_subcommand auth; and __fish_seen_subcommand_from login" -l plain -d 'One fact a line, as `name: value`, for screen readers: no columns, no colour, nothing drawn anew'
complete -c dsr -n "__fish_dsr_using_subcommand auth; and __fish_seen_subcommand_from login" -l sandbox -d 'Rehearse against the built-in sandbox: no account, no network, nothing real'
complete -c dsr -n "__fish_dsr_using_subcommand auth; and __fish_seen_subcommand_from login" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dsr -n "__fish_dsr_using_subcommand auth; and __fish_seen_subcommand_from login" -s V -l version -d 'Print version'
complete -c dsr -n "__fish_dsr_using_subcommand auth; and __fish_seen_subcommand_from status" -l warn-days -d 'From how many days before its end a token is told of' -r
complete -c dsr -n "__fish_dsr_using_subcommand auth; and __fish_seen_subcommand_from status" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c dsr -n "__fish_dsr_using_subcommand auth; and __fish_seen_subcommand_from status" -l project -d 'The project to work on; several are worked on one beside the other' -r
complete -c dsr -n "__fish_dsr_using_subcommand auth; and __fish_seen_subcommand_from status" -l lock-timeout -d 'How long to wait for another dsr that holds the ledger' -r
complete -c dsr -n "__fish_dsr_using_subcommand auth; and __fish_seen_subcommand_from status" -l exit-status -d 'End with status 4 as well if any token expires within `--warn-days`, or on a day nobody knows'
complete -c dsr -n "__fish_dsr_using_subcommand auth; and __fish_seen_subcommand_from status" -l json -d 'Print JSON: one object on stdout, a failure as one object on stderr'
complete -c dsr -n "__fish_dsr_using_subcommand auth; and __fish_seen_subcommand_from status" -s q -l quiet -d 'Say nothing beside the result, warnings and failures'
complete -c dsr -n "__fish_dsr_using_subcommand auth; and __fish_seen_subcommand_from status" -s v -l verbose -d 'Say more on stderr: -v what is done, -vv each call, -vvv everything'
complete -c dsr -n "__fish_dsr_using_subcommand auth; and __fish_seen_subcommand_from status" -l no-input -d 'Never ask; fail instead'
complete -c dsr -n "__fish_dsr_using_subcommand auth; and __fish_seen_subcommand_from status" -l plain -d 'One fact a line, as `name: value`, for screen readers: no columns, no colour, nothing drawn anew'
complete -c dsr -n "__fish_dsr_using_subcommand auth; and __fish_seen_subcommand_from status" -l sandbox -d 'Rehearse against the built-in sandbox: no account, no network, nothing real'
complete -c dsr -n "__fish_dsr_using_subcommand auth; and __fish_seen_subcommand_from status" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dsr -n "__fish_dsr_using_subcommand auth; and __fish_seen_subcommand_from status" -s V -l version -d 'Print version'
complete -c dsr -n "__fish_dsr_using_subcommand auth; and __fish_seen_subcommand_from use" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c dsr -n "__fish_dsr_using_subcommand auth; and __fish_seen_subcommand_from use" -l project -d 'The project to work on; several are worked on one beside the other' -r
complete -c dsr -n "__fish_dsr_using_subcommand auth; and __fish_seen_subcommand_from use" -l lock-timeout -d 'How long to wait for another dsr that holds the ledger' -r
complete -c dsr -n "__fish_dsr_using_subcommand auth; and __fish_seen_subcommand_from use" -l json -d 'Print JSON: one object on stdout, a failure as one object on stderr'
complete -c dsr -n "__fish_dsr_using_subcommand auth; and __fish_seen_subcommand_from use" -s q -l quiet -d 'Say nothing beside the result, warnings and failures'
complete -c dsr -n "__fish_dsr_using_subcommand auth; and __fish_seen_subcommand_from use" -s v -l verbose -d 'Say more on stderr: -v what is done, -vv each call, -vvv everything'
complete -c dsr -n "__fish_dsr_using_subcommand auth; and __fish_seen_subcommand_from use" -l no-input -d 'Never ask; fail instead'
complete -c dsr -n "__fish_dsr_using_subcommand auth; and __fish_seen_subcommand_from use" -l plain -d 'One fact a line, as `name: value`, for screen readers: no columns, no colour, nothing drawn anew'
complete -c dsr -n "__fish_dsr_using_subcommand auth; and __fish_seen_subcommand_from use" -l sandbox -d 'Rehearse against the built-in sandbox: no account, no network, nothing real'
complete -c dsr -n "__fish_dsr_using_subcommand auth; and __fish_seen_subcommand_from use" -s h -l help -d 'Print help'
complete -c dsr -n "__fish_dsr_using_subcommand auth; and __fish_seen_subcommand_from use" -s V -l version -d 'Print version'
complete -c dsr -n "__fish_dsr_using_subcommand auth; and __fish_seen_subcommand_from logout" -l name -d 'Which one, where there are several' -r
complete -c dsr -n "__fish_dsr_using_subcommand auth; and __fish_seen_subcommand_from logout" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c dsr -n "__fish_dsr_using_subcommand auth; and __fish_seen_subcommand_from logout" -l project -d 'The project to work on; several are worked on one beside the other' -r
complete -c dsr -n "__fish_dsr_using_subcommand auth; and __fish_seen_subcommand_from logout" -l lock-timeout -d 'How long to wait for another dsr that holds the ledger' -r
complete -c dsr -n "__fish_dsr_using_subcommand auth; and __fish_seen_subcommand_from logout" -l json -d 'Print JSON: one object on stdout, a failure as one object on stderr'
complete -c dsr -n "__fish_dsr_using_subcommand auth; and __fish_seen_subcommand_from logout" -s q -l quiet -d 'Say nothing beside the result, warnings and failures'
complete -c dsr -n "__fish_dsr_using_subcommand auth; and __fish_seen_subcommand_from logout" -s v -l verbose -d 'Say more on stderr: -v what is done, -vv each call, -vvv everything'
complete -c dsr -n "__fish_dsr_using_subcommand auth; and __fish_seen_subcommand_from logout" -l no-input -d 'Never ask; fail instead'
complete -c dsr -n "__fish_dsr_using_subcommand auth; and __fish_seen_subcommand_from logout" -l plain -d 'One fact a line, as `name: value`, for screen readers: no columns, no colour, nothing drawn anew'
complete -c dsr -n "__fish_dsr_using_subcommand auth; and __fish_seen_subcommand_from logout" -l sandbox -d 'Rehearse against the built-in sandbox: no account, no network, nothing real'
complete -c dsr -n "__fish_dsr_using_subcommand auth; and __fish_seen_subcommand_from logout" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dsr -n "__fish_dsr_using_subcommand auth; and __fish_seen_subcommand_from logout" -s V -l version -d 'Print version'
complete -c dsr -n "__fish_dsr_using_subcommand auth; and __fish_seen_subcommand_from hash-key" -l file -d 'Read the key from a file that only its owner can read' -r -F
complete -c dsr -n "__fish_dsr_using_subcommand auth; and __fish_seen_subcommand_from hash-key" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c dsr -n "__fish_dsr_using_subcommand auth; and __fish_seen_subcommand_from hash-key" -l project -d 'The project to work on; several are worked on one beside the other' -r
complete -c dsr -n "__fish_dsr_using_subcommand auth; and __fish_seen_subcommand_from hash-key" -l lock-timeout -d 'How long to wait for another dsr that holds the ledger' -r
complete -c dsr -n "__fish_dsr_using_subcommand auth; and __fish_seen_subcommand_from hash-key" -l with-key -d 'Read the key, a line of text, from standard input'
complete -c dsr -n "__fish_dsr_using_subcommand auth; and __fish_seen_subcommand_from hash-key" -l remove -d 'Forget the key'
complete -c dsr -n "__fish_dsr_using_subcommand auth; and __fish_seen_subcommand_from hash-key" -l json -d 'Print JSON: one object on stdout, a failure as one object on stderr'
complete -c dsr -n "__fish_dsr_using_subcommand auth; and __fish_seen_subcommand_from hash-key" -s q -l quiet -d 'Say nothing beside the result, warnings and failures'
complete -c dsr -n "__fish_dsr_using_subcommand auth; and __fish_seen_subcommand_from hash-key" -s v -l verbose -d 'Say more on stderr: -v what is done, -vv each call, -vvv everything'
complete -c dsr -n "__fish_dsr_using_subcommand auth; and __fish_seen_subcommand_from hash-key" -l no-input -d 'Never ask; fail instead'
complete -c dsr -n "__fish_dsr_using_subcommand auth; and __fish_seen_subcommand_from hash-key" -l plain -d 'One fact a line, as `name: value`, for screen readers: no columns, no colour, nothing drawn anew'
complete -c dsr -n "__fish_dsr_using_subcommand auth; and __fish_seen_subcommand_from hash-key" -l sandbox -d 'Rehearse against the built-in sandbox: no account, no network, nothing real'
complete -c dsr -n "__fish_dsr_using_subcommand auth; and __fish_seen_subcommand_from hash-key" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dsr -n "__fish_dsr_using_subcommand auth; and __fish_seen_subcommand_from hash-key" -s V -l version -d 'Print version'
complete -c dsr -n "__fish_dsr_using_subcommand auth; and __fish_seen_subcommand_from ledger-key" -l to -d 'Write the key to a new file that only you can read; make a key if there is none' -r -F
complete -c dsr -n "__fish_dsr_using_subcommand auth; and __fish_seen_subcommand_from ledger-key" -l from -d 'Keep the key in this file in the keyring, in place of the one before' -r -F
complete -c dsr -n "__fish_dsr_using_subcommand auth; and __fish_seen_subcommand_from ledger-key" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c dsr -n "__fish_dsr_using_subcommand auth; and __fish_seen_subcommand_from ledger-key" -l project -d 'The project to work on; several are worked on one beside the other' -r
complete -c dsr -n "__fish_dsr_using_subcommand auth; and __fish_seen_subcommand_from ledger-key" -l lock-timeout -d 'How long to wait for another dsr that holds the ledger' -r
complete -c dsr -n "__fish_dsr_using_subcommand auth; and __fish_seen_subcommand_from ledger-key" -l json -d 'Print JSON: one object on stdout, a failure as one object on stderr'
complete -c dsr -n "__fish_dsr_using_subcommand auth; and __fish_seen_subcommand_from ledger-key" -s q -l quiet -d 'Say nothing beside the result, warnings and failures'
complete -c dsr -n "__fish_dsr_using_subcommand auth; and __fish_seen_subcommand_from ledger-key" -s v -l verbose -d 'Say more on stderr: -v what is done, -vv each call, -vvv everything'
complete -c dsr -n "__fish_dsr_using_subcommand auth; and __fish_seen_subcommand_from ledger-key" -l no-input -d 'Never ask; fail instead'
complete -c dsr -n "__fish_dsr_using_subcommand auth; and __fish_seen_subcommand_from ledger-key" -l plain -d 'One fact a line, as `name: value`, for screen readers: no columns, no colour, nothing drawn anew'
complete -c dsr -n "__fish_dsr_using_subcommand auth; and __fish_seen_subcommand_from ledger-key" -l sandbox -d 'Rehearse against the built-in sandbox: no account, no network, nothing real'
complete -c dsr -n "__fish_dsr_using_subcommand auth; and __fish_seen_subcommand_from ledger-key" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dsr -n "__fish_dsr_using_subcommand auth; and __fish_seen_subcommand_from ledger-key" -s V -l version -d 'Print version'
complete -c dsr -n "__fish_dsr_using_subcommand purge" -l older-than -d 'How long ago the requests were closed, such as `30months` or `3years`, or before which day' -r
complete -c dsr -n "__fish_dsr_using_subcommand purge" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c dsr -n "__fish_dsr_using_subcommand purge" -l project -d 'The project to work on; several are worked on one beside the other' -r
complete -c dsr -n "__fish_dsr_using_subcommand purge" -l lock-timeout -d 'How long to wait for another dsr that holds the ledger' -r
complete -c dsr -n "__fish_dsr_using_subcommand purge" -l dry-run -d 'Show what would go, and remove nothing'
complete -c dsr -n "__fish_dsr_using_subcommand purge" -l yes -d 'Do not ask for confirmation'
complete -c dsr -n "__fish_dsr_using_subcommand purge" -l json -d 'Print JSON: one object on stdout, a failure as one object on stderr'
complete -c dsr -n "__fish_dsr_using_subcommand purge" -s q -l quiet -d 'Say nothing beside the result, warnings and failures'
complete -c dsr -n "__fish_dsr_using_subcommand purge" -s v -l verbose -d 'Say more on stderr: -v what is done, -vv each call, -vvv everything'
complete -c dsr -n "__fish_dsr_using_subcommand purge" -l no-input -d 'Never ask; fail instead'
complete -c dsr -n "__fish_dsr_using_subcommand purge" -l plain -d 'One fact a line, as `name: value`, for screen readers: no columns, no colour, nothing drawn anew'
complete -c dsr -n "__fish_dsr_using_subcommand purge" -l sandbox -d 'Rehearse against the built-in sandbox: no account, no network, nothing real'
complete -c dsr -n "__fish_dsr_using_subcommand purge" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dsr -n "__fish_dsr_using_subcommand purge" -s V -l version -d 'Print version'
complete -c dsr -n "__fish_dsr_using_subcommand sandbox" -l port -d 'The port to serve on; 0 takes any free one' -r
complete -c dsr -n "__fish_dsr_using_subcommand sandbox" -l job-seconds -d 'Seconds from the creation of a job to its end' -r
complete -c dsr -n "__fish_dsr_using_subcommand sandbox" -l rate -d 'Requests a second it allows for each project' -r
complete -c dsr -n "__fish_dsr_using_subcommand sandbox" -l create-reply -d 'The shape of the reply to a create' -r -f -a "object\t'`results` is an object with a `task_id`, as in Mixpanel\'s OpenAPI file'
list\t'`results` is a list with a `tracking_id`, as in Mixpanel\'s prose'
alternate\t'Both in turn'"
complete -c dsr -n "__fish_dsr_using_subcommand sandbox" -l archive -d 'How finished exports are packed' -r -f -a "plain\t'JSON in a zip without a password'
zipcrypto\t'JSON, encrypted with ZipCrypto; the API secret is the password'
aes\t'JSON, encrypted with AES; the API secret is the password'
csv\t'CSV in a zip without a password'"
complete -c dsr -n "__fish_dsr_using_subcommand sandbox" -l events-per-person -d 'Events of each person in an export; a handful if not given' -r
complete -c dsr -n "__fish_dsr_using_subcommand sandbox" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c dsr -n "__fish_dsr_using_subcommand sandbox" -l project -d 'The project to work on; several are worked on one beside the other' -r
complete -c dsr -n "__fish_dsr_using_subcommand sandbox" -l lock-timeout -d 'How long to wait for another dsr that holds the ledger' -r
complete -c dsr -n "__fish_dsr_using_subcommand sandbox" -l json -d 'Print JSON: one object on stdout, a failure as one object on stderr'
complete -c dsr -n "__fish_dsr_using_subcommand sandbox" -s q -l quiet -d 'Say nothing beside the result, warnings and failures'
complete -c dsr -n "__fish_dsr_using_subcommand sandbox" -s v -l verbose -d 'Say more on stderr: -v what is done, -vv each call, -vvv everything'
complete -c dsr -n "__fish_dsr_using_subcommand sandbox" -l no-input -d 'Never ask; fail instead'
complete -c dsr -n "__fish_dsr_using_subcommand sandbox" -l plain -d 'One fact a line, as `name: value`, for screen readers: no columns, no colour, nothing drawn anew'
complete -c dsr -n "__fish_dsr_using_subcommand sandbox" -l sandbox -d 'Rehearse against the built-in sandbox: no account, no network, nothing real'
complete -c dsr -n "__fish_dsr_using_subcommand sandbox" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dsr -n "__fish_dsr_using_subcommand sandbox" -s V -l version -d 'Print version'
complete -c dsr -n "__fish_dsr_using_subcommand completions" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c dsr -n "__fish_dsr_using_subcommand completions" -l project -d 'The project to work on; several are worked on one beside the other' -r
complete -c dsr -n "__fish_dsr_using_subcommand completions" -l lock-timeout -d 'How long to wait for another dsr that holds the ledger' -r
complete -c dsr -n "__fish_dsr_using_subcommand completions" -l json -d 'Print JSON: one object on stdout, a failure as one object on stderr'
complete -c dsr -n "__fish_dsr_using_subcommand completions" -s q -l quiet -d 'Say nothing beside the result, warnings and failures'
complete -c dsr -n "__fish_dsr_using_subcommand completions" -s v -l verbose -d 'Say more on stderr: -v what is done, -vv each call, -vvv everything'
complete -c dsr -n "__fish_dsr_using_subcommand completions" -l no-input -d 'Never ask; fail instead'
complete -c dsr -n "__fish_dsr_using_subcommand completions" -l plain -d 'One fact a line, as `name: value`, for screen readers: no columns, no colour, nothing drawn anew'
complete -c dsr -n "__fish_dsr_using_subcommand completions" -l sandbox -d 'Rehearse against the built-in sandbox: no account, no network, nothing real'
complete -c dsr -n "__fish_dsr_using_subcommand completions" -s h -l help -d 'Print help'
complete -c dsr -n "__fish_dsr_using_subcommand completions" -s V -l version -d 'Print version'
complete -c dsr -n "__fish_dsr_using_subcommand man" -l output -d 'Write all pages into the folders man1 and man7 of this one' -r -F
complete -c dsr -n "__fish_dsr_using_subcommand man" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c dsr -n "__fish_dsr_using_subcommand man" -l project -d 'The project to work on; several are worked on one beside the other' -r
complete -c dsr -n "__fish_dsr_using_subcommand man" -l lock-timeout -d 'How long to wait for another dsr that holds the ledger' -r
complete -c dsr -n "__fish_dsr_using_subcommand man" -l json -d 'Print JSON: one object on stdout, a failure as one object on stderr'
complete -c dsr -n "__fish_dsr_using_subcommand man" -s q -l quiet -d 'Say nothing beside the result, warnings and failures'
complete -c dsr -n "__fish_dsr_using_subcommand man" -s v -l verbose -d 'Say more on stderr: -v what is done, -vv each call, -vvv everything'
complete -c dsr -n "__fish_dsr_using_subcommand man" -l no-input -d 'Never ask; fail instead'
complete -c dsr -n "__fish_dsr_using_subcommand man" -l plain -d 'One fact a line, as `name: value`, for screen readers: no columns, no colour, nothing drawn anew'
complete -c dsr -n "__fish_dsr_using_subcommand man" -l sandbox -d 'Rehearse against the built-in sandbox: no account, no network, nothing real'
complete -c dsr -n "__fish_dsr_using_subcommand man" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dsr -n "__fish_dsr_using_subcommand man" -s V -l version -d 'Print version'
complete -c dsr -n "__fish_dsr_using_subcommand help" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c dsr -n "__fish_dsr_using_subcommand help" -l project -d 'The project to work on; several are worked on one beside the other' -r
complete -c dsr -n "__fish_dsr_using_subcommand help" -l lock-timeout -d 'How long to wait for another dsr that holds the ledger' -r
complete -c dsr -n "__fish_dsr_using_subcommand help" -l json -d 'Print JSON: one object on stdout, a failure as one object on stderr'
complete -c dsr -n "__fish_dsr_using_subcommand help" -s q -l quiet -d 'Say nothing beside the result, warnings and failures'
complete -c dsr -n "__fish_dsr_using_subcommand help" -s v -l verbose -d 'Say more on stderr: -v what is done, -vv each call, -vvv everything'
complete -c dsr -n "__fish_dsr_using_subcommand help" -l no-input -d 'Never ask; fail instead'
complete -c dsr -n "__fish_dsr_using_subcommand help" -l plain -d 'One fact a line, as `name: value`, for screen readers: no columns, no colour, nothing drawn anew'
complete -c dsr -n "__fish_dsr_using_subcommand help" -l sandbox -d 'Rehearse against the built-in sandbox: no account, no network, nothing real'
complete -c dsr -n "__fish_dsr_using_subcommand help" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dsr -n "__fish_dsr_using_subcommand help" -s V -l version -d 'Print version'
