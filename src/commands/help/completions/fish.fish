# Completion of dsr for fish; made by `dsr completions fish`.
function __dsr_complete
    set -l current (commandline --current-token --cut-at-cursor)
    set -l words (commandline --current-process --tokenize --cut-at-cursor) "$current"
    # What stands before a path in `--file=path`.
    set -l flag (string match --regex -- '^--[^=]*=' "$current")
    set -l path (string replace --regex -- '^--[^=]*=' '' "$current")
    for line in (dsr __complete $words[2..] 2>/dev/null)
        switch $line
            case '*//files'
                string replace --regex -- '^' "$flag" (complete --do-complete "'' $path")
            case '*//folders'
                string replace --regex -- '^' "$flag" (complete --do-complete "'' $path" | string match --regex -- '.*/(?:\t.*)?$')
            case '*'
                echo $line
        end
    end
end
complete --command dsr --no-files --keep-order --arguments '(__dsr_complete)'
