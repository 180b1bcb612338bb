// Starts Swagger UI. Every operation may answer with a dozen errors, each with an example: they stay one line each until
// they are asked for.
const foldErrors = () => ({
  wrapComponents: {
    response: (Response, { React }) =>
      function FoldedResponse(props) {
        const [isOpen, setOpen] = React.useState(false)
        const create = React.createElement
        if (/^2/.test(props.code)) return create(Response, props)
        const what = props.response?.get?.('description') ?? ''
        const button = create(
          'button',
          { type: 'button', className: 'fold', 'aria-expanded': isOpen, onClick: () => setOpen(!isOpen) },
          what.replaceAll('`', ''),
        )
        const line = create(
          'tr',
          { className: 'response folded', 'data-code': props.code },
          create('td', { className: 'response-col_status' }, props.code),
          create('td', { className: 'response-col_description', colSpan: 2 }, button),
        )
        return create(React.Fragment, null, line, isOpen ? create(Response, props) : null)
      },
  },
})

window.ui = SwaggerUIBundle({
  url: 'openapi.json',
  dom_id: '#swagger-ui',
  deepLinking: true,
  displayRequestDuration: true,
  docExpansion: 'none',
  filter: true,
  plugins: [foldErrors, window.signInPlugin],
  showExtensions: true,
  validatorUrl: null,
})
