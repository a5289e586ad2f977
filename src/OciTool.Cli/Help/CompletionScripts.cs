namespace OciTool.Cli.Help;

/// <summary>The scripts that make a shell ask <c>oci __complete</c>.</summary>
internal static class CompletionScripts
{
    /// <summary>The names of the shells.</summary>
    public static readonly string[] Shells = ["bash", "fish", "zsh"];

    private const string Bash = """
        # bash completion for oci; load it with: source <(oci completion bash)
        __oci_complete()
        {
            local line="${COMP_LINE:0:COMP_POINT}" word="" directive candidate
            local -a words answers
            # bash splits words at : and =, oci does not
            read -r -a words <<< "$line"
            if [[ $line != *[[:space:]] ]]; then
                word="${words[-1]}"
                unset 'words[-1]'
            fi
            mapfile -t answers < <("${words[0]:-oci}" __completeNoDesc "${words[@]:1}" "$word" 2> /dev/null)
            COMPREPLY=()
            (( ${#answers[@]} )) || return 0
            directive="${answers[-1]#:}"
            unset 'answers[-1]'
            # readline replaces what stands behind the last : or = only
            local kept="" current="${COMP_WORDS[COMP_CWORD]}"
            [[ $current == [:=] ]] && current=""
            [[ $word == *[:=]* && $word == *"$current" ]] && kept="${word%"$current"}"
            for candidate in "${answers[@]}"; do
                COMPREPLY+=("${candidate#"$kept"}")
            done
            (( directive & 2 )) && compopt -o nospace
            if (( ${#COMPREPLY[@]} == 0 && !(directive & 4) )); then
                compopt -o default
            fi
            return 0
        }
        complete -F __oci_complete oci

        """;

    private const string Zsh = """
        #compdef oci
        # zsh completion for oci; load it with: source <(oci completion zsh)
        _oci()
        {
            local line directive tab=$'\t'
            local -a answers names
            answers=("${(@f)$("${words[1]}" __complete "${(@)words[2,CURRENT]}" 2> /dev/null)}")
            directive="${answers[-1]#:}"
            for line in "${(@)answers[1,-2]}"; do
                line="${line//:/\\:}"
                names+=("${line/$tab/:}")
            done
            if (( $#names )); then
                if (( directive & 2 )); then
                    _describe -V completions names -S ''
                else
                    _describe -V completions names
                fi
            elif (( !(directive & 4) )); then
                _files
            fi
        }
        if [ "$funcstack[1]" = "_oci" ]; then
            _oci
        else
            compdef _oci oci
        fi

        """;

    private const string Fish = """
        # fish completion for oci; load it with: oci completion fish | source
        function __oci_ask
            set -l words (commandline -opc)
            $words[1] __complete $words[2..-1] (commandline -ct) 2>/dev/null
        end
        function __oci_complete
            set -l answers (__oci_ask)
            set -e answers[-1]
            string join \n -- $answers
        end
        function __oci_wants_files
            set -l directive (__oci_ask)[-1]
            test "$directive" = ":0"
        end
        complete -c oci -e
        complete -c oci -n 'not __oci_wants_files' -f -a '(__oci_complete)'
        complete -c oci -n __oci_wants_files -F

        """;

    /// <summary>The script of a shell.</summary>
    /// <param name="shell">One of <see cref="Shells"/>.</param>
    public static string Of(string shell) => shell switch
    {
        "bash" => Bash,
        "fish" => Fish,
        _ => Zsh,
    };
}
