#compdef dsr
# Completion of dsr for zsh; made by `dsr completions zsh`.
_dsr() {
    local line value help
    local -a described paths
    while IFS= read -r line; do
        value=${line%%$'\t'*}
        help=${${line#$value}#$'\t'}
        case $value in
            (*//files) paths=(_files) ;;
            (*//folders) paths=(_files -/) ;;
            (*) described+=("${value//:/\\:}${help:+:$help}") ;;
        esac
    done < <(dsr __complete "${(@Q)words[2,CURRENT]}" 2>/dev/null)
    (( $#described )) && _describe -V dsr described
    if (( $#paths )); then
        compset -P '--*='
        $paths
    fi
}
# Loaded by its name it is to complete at once, sourced it is to be known.
if [[ $funcstack[1] == _dsr ]]; then
    _dsr "$@"
else
    compdef _dsr dsr
fi
