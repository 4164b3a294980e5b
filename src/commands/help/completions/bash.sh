# Completion of dsr for bash; made by `dsr completions bash`.
_dsr() {
    local word last line current=$2 words=()
    # bash parts words at `=`: `--project=shop` is three.
    for word in "${COMP_WORDS[@]:1:COMP_CWORD}"; do
        last=$((${#words[@]} - 1))
        if ((last >= 0)) && [[ $word == = || ${words[last]} == --*= ]]; then
            words[last]+=$word
        else
            words+=("$word")
        fi
    done
    word=${words[${#words[@]} - 1]}
    COMPREPLY=()
    while IFS= read -r line; do
        line=${line%%$'\t'*}
        [[ $word == --*=* ]] && line=${line#--*=}
        case $line in
            //files) compopt -o filenames 2>/dev/null; mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$current") ;;
            //folders) compopt -o filenames 2>/dev/null; mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -d -- "$current") ;;
            *) COMPREPLY+=("$line") ;;
        esac
    done < <(dsr __complete "${words[@]}" 2>/dev/null)
}
complete -o nosort -F _dsr dsr 2>/dev/null || complete -F _dsr dsr
