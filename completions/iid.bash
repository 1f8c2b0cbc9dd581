_iid_completion() {
    local type value
    COMPREPLY=()
    while IFS=',' read -r type value; do
        case $type in
            dir) compopt -o dirnames -o filenames ;;
            file) compopt -o default -o filenames ;;
            plain)
                COMPREPLY+=("$value")
                [[ $value == *[=:] ]] && compopt -o nospace
                ;;
        esac
    done < <(_IID_COMPLETE=bash_complete _IID_LINE="${COMP_LINE:0:COMP_POINT}" \
        _IID_BREAKS="$COMP_WORDBREAKS" "$1" 2>/dev/null)
}

complete -o nosort -F _iid_completion iid
